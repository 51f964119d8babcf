"""The classifier: hashed features, a linear model, its training and its adaptation."""
