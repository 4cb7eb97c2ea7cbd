//! Tests of the machine on programs built by hand: what the checker gives, without it.

mod build;
mod limits;
