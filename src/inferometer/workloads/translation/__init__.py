"""Translation: text, vocabulary, beam search, BLEU, workloads."""
