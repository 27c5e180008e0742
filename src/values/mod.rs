//! What a person asked for, as values that cannot be wrong.
//!
//! Each file parses one kind of value from the text of an input. Nothing here asks anybody anything.

pub(crate) mod account;
pub(crate) mod base36;
pub(crate) mod candidate;
pub(crate) mod duration;
pub(crate) mod gp3;
pub(crate) mod group;
pub(crate) mod image;
pub(crate) mod instance_type;
pub(crate) mod label;
pub(crate) mod launch_options;
pub(crate) mod list;
pub(crate) mod named_image;
pub(crate) mod network;
pub(crate) mod per_region;
pub(crate) mod region;
pub(crate) mod repository;
pub(crate) mod run;
pub(crate) mod runner;
pub(crate) mod runner_id;
pub(crate) mod scope;
pub(crate) mod spot;
pub(crate) mod swap;
pub(crate) mod switch;
pub(crate) mod tags;
pub(crate) mod temp;
pub(crate) mod volume;
