//! EC2 in every region that a mode works in: a client for each, asked together.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_smithy_runtime_api::client::http::SharedHttpConnector;

use super::{DESCRIBE_INSTANCES, DESCRIBE_SPOT_PRICE_HISTORY, Ec2, Ec2Error, Instance, SpotPrice};
use crate::credentials::AwsCredentials;
use crate::credentials::mask::Mask;
use crate::platform::executor;
use crate::retry::{self, Deadline};
use crate::values::instance_type::InstanceType;
use crate::values::network::InstanceId;
use crate::values::per_region::{PerRegion, Regions};
use crate::values::region::Region;

/// A client for each region, the preferred one first.
#[derive(Clone)]
pub(crate) struct Regional(Arc<PerRegion<Ec2>>);

/// Instances, and the regions that did not tell theirs.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub instances: Vec<Instance>,
    pub unanswered: Vec<(Region, Ec2Error)>,
    /// How many regions reported theirs.
    pub answered: usize,
}

impl Found {
    /// The regions in which something may be that was not seen. One that is not enabled has nothing, as long as the same
    /// credentials are good for another.
    pub(crate) fn unseen(&self) -> impl Iterator<Item = &(Region, Ec2Error)> {
        let is_seen = |error: &Ec2Error| self.answered > 0 && error.is_not_enabled();
        self.unanswered
            .iter()
            .filter(move |(_, error)| !is_seen(error))
    }
}

impl Regional {
    /// Builds the clients, and asks nobody anything. They share connections and credentials.
    pub(crate) async fn new(
        connector: &SharedHttpConnector,
        regions: &Regions,
        credentials: AwsCredentials,
        mask: Mask,
    ) -> Self {
        let mut all = regions.regions();
        let home = Ec2::new(connector, regions, credentials, mask).await;
        all.next();
        let others: Vec<Ec2> = all.map(|region| home.in_region(region)).collect();
        let clients = std::iter::once(home.clone()).chain(others);
        Self::of_clients(clients, home)
    }

    /// The same credentials in other regions.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn at(&self, regions: &Regions) -> Self {
        let clients = regions.regions().map(|region| self.of(Some(region)));
        Self::of_clients(clients, self.home().clone())
    }

    fn of_clients(clients: impl IntoIterator<Item = Ec2>, home: Ec2) -> Self {
        let named = clients.into_iter().map(|ec2| (ec2.region.clone(), ec2));
        let of_home = || PerRegion::one(home.region.clone(), home);
        Self(Arc::new(PerRegion::new(named).unwrap_or_else(of_home)))
    }

    /// In the preferred region.
    pub(crate) fn home(&self) -> &Ec2 {
        self.0.first()
    }

    /// In that region, also where it is not one of these. What has no region is looked for in the preferred one.
    pub(crate) fn of(&self, region: Option<&Region>) -> Ec2 {
        let home = self.home();
        match region {
            None => home.clone(),
            Some(region) => {
                let known = self.0.get(region).cloned();
                known.unwrap_or_else(|| home.in_region(region))
            }
        }
    }

    pub(crate) fn regions(&self) -> impl Iterator<Item = &Region> {
        self.0.regions()
    }

    pub(crate) fn is_several(&self) -> bool {
        self.0.is_several()
    }

    /// Each region by itself.
    pub(crate) fn each(&self) -> impl Iterator<Item = &Ec2> {
        self.0.iter().map(|(_, ec2)| ec2)
    }

    /// These instances, each asked for in its region.
    pub(crate) async fn by_id(&self, ids: &[InstanceId]) -> Result<Vec<Instance>, Ec2Error> {
        let mut by_region: BTreeMap<Option<&Region>, Vec<String>> = BTreeMap::new();
        for id in ids {
            by_region
                .entry(id.region())
                .or_default()
                .push(id.to_string());
        }
        let asked = by_region.into_iter();
        let asked = asked.map(|(region, ids)| (self.of(region), ids)).collect();
        let ask = |ec2: Ec2, ids: Vec<String>| async move {
            ec2.instances(&[("instance-id", &ids[..])]).await
        };
        let mut all = Vec::new();
        for (_, answer) in together(asked, ask).await {
            all.extend(answer?);
        }
        Ok(all)
    }

    /// The current spot prices of these types, of each region by itself.
    pub(crate) async fn spot_prices(
        &self,
        types: &[InstanceType],
        deadline: Deadline,
    ) -> Vec<(Region, Result<Vec<SpotPrice>, Ec2Error>)> {
        let types: Arc<[InstanceType]> = types.into();
        let ask = |ec2: Ec2, ()| {
            let types = types.clone();
            async move {
                let ask = || ec2.spot_prices(&types);
                retry::briefly(DESCRIBE_SPOT_PRICE_HISTORY, deadline, ask).await
            }
        };
        together(alone(self.each()), ask).await
    }

    /// The instances that fit all filters, in every region and in those that their tags name beside.
    pub(crate) async fn find(&self, filters: &[(&str, &[String])], deadline: Deadline) -> Found {
        let mut asked: Vec<Region> = self.regions().cloned().collect();
        let mut found = Found::default();
        let mut clients: Vec<Ec2> = self.each().cloned().collect();
        let filters = owned(filters);
        while !clients.is_empty() {
            let ask = |ec2: Ec2, ()| {
                let filters = filters.clone();
                async move {
                    let filters = borrowed(&filters);
                    retry::until(DESCRIBE_INSTANCES, deadline, || ec2.instances(&filters)).await
                }
            };
            for (region, answer) in together(alone(&std::mem::take(&mut clients)), ask).await {
                match answer {
                    Ok(instances) => {
                        found.answered += 1;
                        found.instances.extend(instances);
                    }
                    Err(error) => found.unanswered.push((region, error)),
                }
            }
            for region in found.instances.iter().flat_map(Instance::regions) {
                if !asked.contains(&region) {
                    clients.push(self.of(Some(&region)));
                    asked.push(region);
                }
            }
        }
        found
    }
}

/// Asks all of them at the same time, each with what is its own; answers in their order.
pub(crate) fn together<A, T, Asking>(
    all: Vec<(Ec2, A)>,
    mut ask: impl FnMut(Ec2, A) -> Asking + Send,
) -> impl Future<Output = Vec<(Region, T)>>
where
    A: Send,
    Asking: Future<Output = T> + Send,
    T: Send,
{
    let at_once = all.len();
    executor::each(all, at_once, move |(ec2, own)| {
        let region = ec2.region.clone();
        let asking = ask(ec2, own);
        async move { (region, asking.await) }
    })
}

fn alone<'a>(clients: impl IntoIterator<Item = &'a Ec2>) -> Vec<(Ec2, ())> {
    let clients = clients.into_iter();
    clients.map(|ec2| (ec2.clone(), ())).collect()
}

type Filters = Arc<Vec<(String, Vec<String>)>>;

fn owned(filters: &[(&str, &[String])]) -> Filters {
    let owned = filters
        .iter()
        .map(|(name, values)| ((*name).to_owned(), values.to_vec()));
    Arc::new(owned.collect())
}

fn borrowed(filters: &Filters) -> Vec<(&str, &[String])> {
    let borrowed = filters.iter();
    borrowed
        .map(|(name, values)| (name.as_str(), &values[..]))
        .collect()
}
