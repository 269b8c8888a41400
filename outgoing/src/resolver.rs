//! Where names lead. What comes out of here is dialled as it is: there is no second look that could be
//! answered differently.

use std::{io, sync::Arc};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::{config::Allow, judge::judge_all};

/// Of what another resolver finds, what may be connected to.
pub struct Filtered {
    pub names: Arc<dyn Resolve>,
    pub allow: Arc<Allow>,
}

impl Resolve for Filtered {
    fn resolve(&self, name: Name) -> Resolving {
        let host = name.as_str().to_owned();
        let (found, allow) = (self.names.resolve(name), Arc::clone(&self.allow));
        Box::pin(async move {
            let good = judge_all(&host, found.await?, &allow)?;
            Ok(Box::new(good.into_iter()) as Addrs)
        })
    }
}

/// The machine's own.
pub struct System;

impl Resolve for System {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            // The port is the connection's own.
            let found = tokio::net::lookup_host((name.as_str(), 0)).await;
            let found = found.map_err(|error| {
                io::Error::new(
                    error.kind(),
                    format!("the name {} is not known", name.as_str()),
                )
            })?;
            let all: Vec<_> = found.collect();
            Ok(Box::new(all.into_iter()) as Addrs)
        })
    }
}
