use std::collections::BTreeSet;

use kernel::{Caller, Organisation, Role};
use prost::Message as _;
use prost_types::FileDescriptorSet;

use super::{Policy, ROLES, Right, TABLE, policy};
use crate::testing::golden_part;

#[test]
fn every_rpc_has_a_row_and_no_row_is_stale() {
    let table = Policy::parse(TABLE).unwrap();
    let rows: BTreeSet<&str> = table.rows().map(|row| row.rpc.as_str()).collect();
    let rpcs: BTreeSet<&str> = crate::rpcs().collect();
    let missing: Vec<_> = rpcs.difference(&rows).collect();
    let stale: Vec<_> = rows.difference(&rpcs).collect();
    assert!(missing.is_empty(), "RPCs without a row in policy.csv: {missing:#?}");
    assert!(stale.is_empty(), "rows in policy.csv without an RPC: {stale:#?}");
}

/// The comment of every RPC names the roles; it must name those that the table allows.
#[test]
fn the_comments_of_the_protos_name_the_same_roles() {
    let set = FileDescriptorSet::decode(contracts::FILE_DESCRIPTOR_SET).unwrap();
    let mut wrong = Vec::new();
    for file in set.file.iter().filter(|file| file.package().starts_with("gridlease.")) {
        for (s, service) in file.service.iter().enumerate() {
            for (m, method) in service.method.iter().enumerate() {
                let rpc = format!("{}.{}/{}", file.package(), service.name(), method.name());
                let path = [6, i32::try_from(s).unwrap(), 2, i32::try_from(m).unwrap()];
                let info = file.source_code_info.as_ref().unwrap();
                let comment = info.location.iter().find(|location| location.path == path);
                let comment = comment
                    .map(prost_types::source_code_info::Location::leading_comments)
                    .unwrap_or_default();
                let said: BTreeSet<Role> = roles_in(comment);
                let row = policy().row(&rpc).unwrap();
                let allowed: BTreeSet<Role> = ROLES
                    .iter()
                    .zip(row.cells)
                    .filter(|(_, cell)| cell.is_some())
                    .map(|(role, _)| *role)
                    .collect();
                if said != allowed {
                    wrong.push(format!("{rpc}: the comment says {said:?}, policy.csv {allowed:?}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn roles_in(comment: &str) -> BTreeSet<Role> {
    let line = comment.split("Roles:").nth(1).unwrap_or_default().split(".\n").next().unwrap_or_default();
    line.split(|c: char| !c.is_ascii_lowercase() && c != '_').filter_map(|word| word.parse().ok()).collect()
}

#[test]
fn the_readme_shows_the_table() {
    golden_part("README.md", "policy", &policy().markdown());
}

#[test]
fn a_broken_table_is_refused() {
    let header = TABLE.lines().next().unwrap();
    for (rows, what) in [
        ("a/B,own,own,own,own,own,own,own,maybe,\n", "is not a right"),
        ("a/B,-,-,-,-,-,-,-,-,\na/B,-,-,-,-,-,-,-,-,\n", "two rows"),
    ] {
        let problem = Policy::parse(&format!("{header}\n{rows}")).unwrap_err();
        assert!(problem.contains(what), "{problem}");
    }
    assert!(Policy::parse("rpc,service\n").unwrap_err().contains("columns"));
}

fn caller(organisation: &str, roles: &[Role], on_behalf_of: Option<&str>) -> Caller {
    Caller {
        subject: "ana".to_owned(),
        organisation: organisation.parse().unwrap(),
        roles: roles.to_vec(),
        on_behalf_of: on_behalf_of.map(|text| text.parse::<Organisation>().unwrap()),
        token_id: "1".to_owned(),
    }
}

#[test]
fn the_widest_right_of_the_roles_counts_and_behalf_needs_somebody() {
    let right = |rpc: &str, caller: Caller| policy().right(rpc, &caller);
    let commit = "gridlease.inventory.v1.ReservationService/CommitReservation";
    let watch = "gridlease.inventory.v1.EventService/WatchEvents";
    let get_site = "gridlease.inventory.v1.SiteService/GetSite";
    let service = [Role::Service];
    assert_eq!(right(commit, caller("services/leasing", &service, None)), None);
    assert_eq!(
        right(commit, caller("services/leasing", &service, Some("tenants/core42"))),
        Some(Right::Behalf)
    );
    assert_eq!(right(watch, caller("services/leasing", &service, None)), Some(Right::All));
    assert_eq!(
        right(get_site, caller("tenants/core42", &[Role::Auditor, Role::Tenant], None)),
        Some(Right::Market)
    );
    assert_eq!(right(get_site, caller("operators/acme", &[], None)), None);
    assert_eq!(right("gridlease.inventory.v1.SiteService/Nothing", caller("platform", &ROLES, None)), None);
}
