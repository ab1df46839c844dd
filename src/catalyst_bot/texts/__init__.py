"""Models of texts: their files, training and measuring; readers that ask a language model."""
