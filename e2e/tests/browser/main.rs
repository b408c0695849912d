//! A real browser against the real binary: what a person would see, done by a program.

mod ahead;
mod board;
mod contract;
mod doctor;
mod editing;
mod faults;
mod history;
mod manage;
mod modules;
mod others;
mod phone;
mod policy;
mod prefix;
mod proxy;
mod recovery;
mod refused;
mod screens;
mod tabs;
mod update;
mod wall;
mod warnings;
