//! One form for every table that sea-orm reads.

/// Declares a table as a sea-orm entity: a module with `Model`, `Entity`, `Column` and `ActiveModel`.
///
/// No relations are declared: a query names what it joins. The crate that uses it needs `sea-orm` itself.
///
/// ```ignore
/// postgres::entity!("billing", account = "account" {
///     key { operator_id: String, account_id: Uuid }
///     tenant_id: String,
///     create_time: DateTimeUtc,
/// });
/// ```
#[macro_export]
macro_rules! entity {
    ($schema:literal, $module:ident = $table:literal {
        key { $($key:ident : $kty:ty),+ $(,)? } $($field:ident : $ty:ty),* $(,)?
    }) => {
        pub(crate) mod $module {
            use sea_orm::entity::prelude::*;

            #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
            #[sea_orm(schema_name = $schema, table_name = $table)]
            pub struct Model {
                $(#[sea_orm(primary_key, auto_increment = false)] pub $key: $kty,)+
                $(pub $field: $ty,)*
            }

            #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
            pub enum Relation {}

            impl ActiveModelBehavior for ActiveModel {}
        }
    };
}
