"""Makes an ONNX model of all-MiniLM-L6-v2 from its safetensors, for onnxruntime to run: the encoder, mean pooling over
the tokens of each sequence, and normalisation. Operators are those that exporters of PyTorch write, so that onnxruntime
fuses them as it does theirs (attention, GELU, layer normalisation with the residual)."""
import math
import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import load_file

LAYERS, HEADS, WIDTH, EPSILON = 6, 12, 384, 1e-12


def export(weights_path, model_path):
    weights = load_file(weights_path)
    nodes, constants, names = [], [], set()

    def constant(name, value):
        if name not in names:
            names.add(name)
            constants.append(numpy_helper.from_array(numpy.asarray(value), name))
        return name

    def node(operator, inputs, output, **attributes):
        nodes.append(helper.make_node(operator, inputs, [output], name=output, **attributes))
        return output

    def linear(x, name, output):
        product = node("MatMul", [x, constant(f"{name}.weight.t", weights[f"{name}.weight"].T.copy())], f"{output}.product")
        return node("Add", [product, constant(f"{name}.bias", weights[f"{name}.bias"])], output)

    def norm(x, name, output):
        scale = constant(f"{name}.weight", weights[f"{name}.weight"])
        shift = constant(f"{name}.bias", weights[f"{name}.bias"])
        return node("LayerNormalization", [x, scale, shift], output, axis=-1, epsilon=EPSILON)

    # Embeddings: the positions are 0 … length - 1, and all tokens are of the first type.
    words = constant("words", weights["embeddings.word_embeddings.weight"])
    positions = weights["embeddings.position_embeddings.weight"] + weights["embeddings.token_type_embeddings.weight"][0]
    shape = node("Shape", ["input_ids"], "shape")
    length = node("Slice", [shape, constant("one", numpy.array([1])), constant("two", numpy.array([2]))], "length")
    places = node("Slice", [constant("positions", positions), constant("zero", numpy.array([0])), "length"], "places")
    word = node("Gather", [words, "input_ids"], "word")
    hidden = norm(node("Add", [word, places], "embedded"), "embeddings.LayerNorm", "hidden")

    # What is padding gets no attention: 0 for tokens, a large negative number for padding.
    mask = node("Cast", ["attention_mask"], "mask", to=TensorProto.FLOAT)
    outer = node("Unsqueeze", [mask, constant("axes12", numpy.array([1, 2]))], "outer")
    inverse = node("Sub", [constant("1.0", numpy.float32(1)), outer], "inverse")
    bias = node("Mul", [inverse, constant("least", numpy.float32(-3.4e38))], "attention_bias")

    split = constant("split", numpy.array([0, 0, HEADS, WIDTH // HEADS]))
    joined = constant("joined", numpy.array([0, 0, WIDTH]))
    for layer in range(LAYERS):
        name = f"encoder.layer.{layer}"

        def heads(part, order):
            x = linear(hidden, f"{name}.attention.self.{part}", f"{name}.{part}")
            x = node("Reshape", [x, split], f"{name}.{part}.heads")
            return node("Transpose", [x], f"{name}.{part}.t", perm=order)

        query, key, value = heads("query", [0, 2, 1, 3]), heads("key", [0, 2, 3, 1]), heads("value", [0, 2, 1, 3])
        scores = node("MatMul", [query, key], f"{name}.scores")
        scores = node("Div", [scores, constant("root", numpy.float32(math.sqrt(WIDTH // HEADS)))], f"{name}.scaled")
        scores = node("Add", [scores, bias], f"{name}.masked")
        context = node("MatMul", [node("Softmax", [scores], f"{name}.softmax", axis=-1), value], f"{name}.context")
        context = node("Transpose", [context], f"{name}.context.t", perm=[0, 2, 1, 3])
        context = node("Reshape", [context, joined], f"{name}.context.joined")
        output = linear(context, f"{name}.attention.output.dense", f"{name}.output")
        hidden = norm(node("Add", [output, hidden], f"{name}.sum1"), f"{name}.attention.output.LayerNorm", f"{name}.norm1")
        inner = linear(hidden, f"{name}.intermediate.dense", f"{name}.inner")
        erf = node("Erf", [node("Div", [inner, constant("root2", numpy.float32(math.sqrt(2)))], f"{name}.div")], f"{name}.erf")
        gelu = node("Mul", [inner, node("Add", [erf, constant("1.0", numpy.float32(1))], f"{name}.plus")], f"{name}.mul")
        gelu = node("Mul", [gelu, constant("0.5", numpy.float32(0.5))], f"{name}.gelu")
        output = linear(gelu, f"{name}.output.dense", f"{name}.contracted")
        hidden = norm(node("Add", [output, hidden], f"{name}.sum2"), f"{name}.output.LayerNorm", f"{name}.norm2")

    wide = node("Unsqueeze", [mask, constant("axis2", numpy.array([2]))], "wide")
    total = node("ReduceSum", [node("Mul", [hidden, wide], "kept"), "one"], "total", keepdims=0)
    mean = node("Div", [total, node("ReduceSum", [mask, "one"], "count", keepdims=1)], "mean")
    node("LpNormalization", [mean], "embedding", axis=1, p=2)

    ids = [helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "length"])
           for name in ("input_ids", "attention_mask")]
    result = helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["batch", WIDTH])
    graph = helper.make_graph(nodes, "all-MiniLM-L6-v2", ids, [result], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    onnx.save(model, model_path)


def fuse(model_path):
    """The same model with fused operators, as onnxruntime's own tool makes it; needs no other framework."""
    from onnxruntime.transformers import optimizer
    from onnxruntime.transformers.fusion_options import FusionOptions

    fused = optimizer.optimize_by_fusion(onnx.load(model_path), "bert", HEADS, WIDTH, FusionOptions("bert"))
    path = model_path.replace(".onnx", ".fused.onnx")
    fused.save_model_to_file(path)
    return path
