"""Photos: decoding, preprocessing in the documented variants, and the cache of both."""
