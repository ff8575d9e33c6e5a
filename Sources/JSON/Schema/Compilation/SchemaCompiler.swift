/// Turns a schema, and all that it refers to, into a ``SchemaProgram``.
///
/// Subschemas wait in a list until they are compiled, rather than being compiled recursively, so that neither nesting
/// nor references that lead in a circle are a problem.
struct SchemaCompiler {
    private let options: JSONSchema.Options
    private var registry: SchemaRegistry
    private var nodes: [SchemaNode?] = []
    private var nodesByLocation: [SchemaLocation: Int] = [:]
    private var pending: [(node: Int, schema: LocatedSchema)] = []
    private var patternSize = 0

    static func compile(_ schema: JSONValue, options: JSONSchema.Options) throws(JSONSchemaError) -> SchemaProgram {
        var compiler = SchemaCompiler(options: options)
        let root = try compiler.node(for: compiler.registry.add(schema, uri: options.baseURI))
        var dynamicAnchors: [[String: Int]] = []
        repeat {
            try compiler.compilePending()
            // A dynamic anchor can become the target of any dynamic reference. Compiling may load more resources.
            while dynamicAnchors.count < compiler.registry.resources.count {
                var anchors: [String: Int] = [:]
                for (name, schema) in compiler.registry.resources[dynamicAnchors.count].dynamicAnchors {
                    anchors[name] = try compiler.node(for: schema)
                }
                dynamicAnchors.append(anchors)
            }
        } while !compiler.pending.isEmpty
        return SchemaProgram(
            nodes: compiler.nodes.compactMap { $0 },
            root: root,
            dynamicAnchors: dynamicAnchors,
            maximumDepth: options.maximumDepth,
            maximumWork: options.maximumWork,
            maximumViolations: options.maximumViolations
        )
    }

    private init(options: JSONSchema.Options) {
        self.options = options
        self.registry = SchemaRegistry(options: options)
    }

    /// The number of the node for a subschema.
    ///
    /// It is compiled later, unless it has been already.
    mutating func node(for schema: LocatedSchema) throws(JSONSchemaError) -> Int {
        if let node = self.nodesByLocation[schema.location] { return node }
        let node = self.nodes.count
        guard node < self.options.maximumSubschemas else {
            throw JSONSchemaError(
                code: .schemaTooLarge,
                message: "The schema has more than \(self.options.maximumSubschemas) subschemas.",
                schemaPointer: schema.location.pointer
            )
        }
        var schema = schema
        schema.resource = self.registry.resource(at: schema.location, in: schema.resource)
        self.nodes.append(nil)
        self.nodesByLocation[schema.location] = node
        self.pending.append((node, schema))
        return node
    }

    /// Translates a regular expression, as long as all of them are not too large together.
    mutating func pattern(_ source: String) throws(PatternError) -> PatternProgram {
        let program = try PatternProgram(source, maximumSize: self.options.maximumPatternSize - self.patternSize)
        self.patternSize += program.instructions.count
        return program
    }

    private mutating func compilePending() throws(JSONSchemaError) {
        while let (node, schema) = self.pending.popLast() {
            let kind: SchemaNode.Kind
            switch schema.value {
            case .bool(let isAnything):
                kind = isAnything ? .anything : .nothing
            case .object(let object):
                var reader = KeywordReader(
                    schema: schema,
                    object: object,
                    vocabularies: self.registry.resources[schema.resource].vocabularies,
                    assertsFormats: self.options.assertsFormats
                )
                let keywords = try reader.read(&self)
                kind = keywords.isEmpty ? .anything : .keywords(keywords)
            default:
                throw JSONSchemaError(
                    code: .invalidSchema,
                    message: "A schema has to be an object or a boolean.",
                    schemaPointer: schema.location.pointer
                )
            }
            self.nodes[node] = SchemaNode(kind: kind, resource: schema.resource, pointer: schema.location.pointer)
        }
    }

    /// The node that a reference refers to, and the dynamic anchor that it names.
    mutating func resolve(
        _ reference: String,
        from schema: LocatedSchema,
        at location: SchemaLocation
    ) throws(JSONSchemaError) -> (node: Int, dynamicAnchor: String?) {
        let (target, anchor) = try self.registry.resolve(reference, in: schema.resource, at: location)
        return (try self.node(for: target), anchor)
    }
}
