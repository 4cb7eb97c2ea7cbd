//! mlp: a build system for machine learning.
