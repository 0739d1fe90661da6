"""Page: what the HTML report says of a session, and the numbers and pictures of its charts."""
