"""Coverage: whether every interval and every rule is right as often as it states."""
