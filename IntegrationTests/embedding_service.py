"""The stand-in for an OpenAI-compatible service of embeddings, as a process of its own."""

import json
import sys

from processes import ROOT, ServerProcess

KEY = "sk-test-key"


class EmbeddingService(ServerProcess):
    def __init__(self, model="stand-in-embed", dimension=64):
        self.model, self.dimension = model, dimension
        program = [sys.executable, ROOT / "StandIns/openai_embeddings.py"]
        super().__init__([*program, "--key", KEY, "--model", model, "--dimension", dimension])
        self.url = f"http://127.0.0.1:{self.port}/v1"

    def control(self, **disturbance):
        """Disturbs the next answer; the stand-in says how that may be."""
        assert self.post_json("/__control", disturbance)[0] == 200

    @property
    def requests(self):
        """What it has been asked so far."""
        return json.loads(self.request("GET", "/__requests")[2])

    @property
    def settings(self):
        """Those of a Gantry that uses it."""
        return {
            "EMBEDDINGS_URL": self.url,
            "EMBEDDINGS_MODEL": self.model,
            "EMBEDDINGS_API_KEY": KEY,
            "EMBEDDINGS_DIMENSION": str(self.dimension),
        }
