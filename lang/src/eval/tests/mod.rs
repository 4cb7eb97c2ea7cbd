//! Tests of the machine: on programs built by hand (what the checker gives, without it), and on whole pipelines.

mod build;
mod limits;
mod messages;
mod pages;
mod pipelines;
mod plain;
mod programs;

mod networks;
mod project;
mod searches;
mod traced;
mod zoo;
