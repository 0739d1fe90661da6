"""Language models behind an endpoint: prompts become a folder of recordings and results."""

from inferometer.runs.llm.prompts import Prompts, read_prompts, synthetic_prompts
from inferometer.runs.llm.request import LlmRequest
from inferometer.runs.llm.run import run_llm

__all__ = ["LlmRequest", "Prompts", "read_prompts", "run_llm", "synthetic_prompts"]
