//! What a start asks for at its first instruction, beside what it waits for.
//!
//! A connection costs two round trips before its first request leaves, one for TCP and one for TLS. So the one to EC2 is opened while
//! GitHub or the price list is asked, the one to STS while GitHub makes the token for it, and the runner program is looked up before
//! anybody needs it, which opens the one to GitHub.

use std::sync::Arc;

use tokio::task::JoinSet;

use crate::clients::Clients;
use crate::ec2;
use crate::http::get_text;
use crate::launch::context::Lookups;
use crate::launch::plan;
use crate::launch::spec::StartSpec;
use crate::platform::environment;
use crate::platform::executor::spawn;
use crate::retry::Deadline;
use crate::values::image::Image;
use crate::values::instance_type::InstanceType;

/// Begins them. What comes of them is of no interest: whoever needs one asks again where it failed. Dropping the set ends them.
pub(crate) fn ask(
    clients: &Clients,
    spec: &StartSpec,
    lookups: &Arc<Lookups>,
    deadline: Deadline,
) -> JoinSet<()> {
    let mut asked = JoinSet::new();
    let first = spec.instance_types.first().map(InstanceType::architecture);
    if let Some(architecture) = first.filter(|_| spec.runner_home.is_none()) {
        let (clients, lookups) = (clients.clone(), lookups.clone());
        spawn(&mut asked, async move {
            let _ = lookups.download(&clients, architecture, deadline).await;
        });
    }
    let asks_ec2 =
        plan::needs_spot_prices(spec) || matches!(spec.regions.first().image, Image::Named(_));
    let takes_role = clients.ec2.home().takes_role();
    let asks_ec2_at_once = asks_ec2 && !takes_role;
    let clients = clients.clone();
    spawn(&mut asked, async move {
        let region = &clients.region;
        let to_ec2 = async {
            let ping = ec2::ping(region, environment).await;
            open(&clients, ping.filter(|_| !asks_ec2_at_once)).await;
        };
        let to_sts = async {
            let ping = ec2::ping_sts(region, environment).await;
            open(&clients, ping.filter(|_| takes_role)).await;
        };
        tokio::join!(to_ec2, to_sts, open(&clients, clients.github.ping()));
    });
    asked
}

/// Leaves an open connection behind; what is answered does not matter.
async fn open(clients: &Clients, ping: Option<http::Uri>) {
    if let Some(ping) = ping {
        let _ = get_text(&clients.connector, &ping).await;
    }
}
