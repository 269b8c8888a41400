//! placeholder while declick is written
