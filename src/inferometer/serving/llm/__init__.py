"""A client of language models that stream their answers, by the OpenAI-compatible protocol."""

from inferometer.serving.llm.account import LlmAccount
from inferometer.serving.llm.client import LlmClient, LlmJob
from inferometer.serving.llm.endpoint import LlmEndpoint
from inferometer.serving.llm.fault import LlmFault, LlmFaultKind
from inferometer.serving.llm.options import LlmOptions
from inferometer.serving.llm.streaming import StreamingServing

__all__ = [
    "LlmAccount",
    "LlmClient",
    "LlmEndpoint",
    "LlmFault",
    "LlmFaultKind",
    "LlmJob",
    "LlmOptions",
    "StreamingServing",
]
