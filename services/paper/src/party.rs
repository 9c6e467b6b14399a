//! Who a document is between.

use serde::Serialize;

/// A side of a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Party {
    /// Its part: `Tenant`.
    pub role: String,
    /// Its name.
    pub name: String,
    /// Address, numbers, resource name.
    pub lines: Vec<String>,
}

/// A legal entity that issues for an operator.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entity {
    /// The name it is registered under.
    pub legal_name: String,
    /// Its tax number; may be empty.
    pub tax_number: String,
    /// Its registered address; may be empty.
    pub address: String,
    /// The country it is registered in; may be empty.
    pub country_code: String,
}

impl Party {
    /// An operator: by the legal entity of its sites where they have one and the same, else by its own name with the
    /// entities below it.
    #[must_use]
    pub fn operator(role: &str, name: &str, display_name: &str, entities: &[Entity]) -> Self {
        let mut distinct: Vec<&Entity> = Vec::new();
        for entity in entities {
            if !distinct.contains(&entity) {
                distinct.push(entity);
            }
        }
        let role = role.to_owned();
        match distinct[..] {
            [one] => {
                let own = [format!("{display_name} ({name})")];
                Self { role, name: one.legal_name.clone(), lines: one.particulars().chain(own).collect() }
            }
            _ => {
                let named = distinct.iter().flat_map(|entity| {
                    std::iter::once(entity.legal_name.clone()).chain(entity.particulars())
                });
                Self {
                    role,
                    name: display_name.to_owned(),
                    lines: std::iter::once(name.to_owned()).chain(named).collect(),
                }
            }
        }
    }
}

impl Entity {
    fn particulars(&self) -> impl Iterator<Item = String> {
        let place = match (self.address.as_str(), self.country_code.as_str()) {
            ("", country) => country.to_owned(),
            (address, "") => address.to_owned(),
            (address, country) => format!("{address}, {country}"),
        };
        let tax = &self.tax_number;
        let tax = if tax.is_empty() { String::new() } else { format!("Tax number {tax}") };
        [place, tax].into_iter().filter(|line| !line.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entity(legal_name: &str) -> Entity {
        Entity {
            legal_name: legal_name.to_owned(),
            tax_number: "12-345".to_owned(),
            address: "1 Main Street".to_owned(),
            country_code: "US".to_owned(),
        }
    }

    #[test]
    fn one_entity_issues_and_several_are_named_below() {
        let party = |entities: &[Entity]| Party::operator("Operator", "operators/north", "North", entities);
        let one = party(&[entity("North Power LLC"), entity("North Power LLC")]);
        assert_eq!(one.name, "North Power LLC");
        assert_eq!(one.lines, ["1 Main Street, US", "Tax number 12-345", "North (operators/north)"]);
        let two = party(&[entity("North Power LLC"), entity("North Texas LP")]);
        assert_eq!(two.name, "North");
        assert_eq!(two.lines.len(), 7);
        let none = party(&[]);
        assert_eq!(
            (none.name.as_str(), none.lines.as_slice()),
            ("North", ["operators/north".to_owned()].as_slice())
        );
    }
}
