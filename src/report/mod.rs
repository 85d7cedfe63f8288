//! What was found and done, in several renderings of one model.
