//! The tables as they lie in the database. Nothing outside the store names these types.

#![expect(
    unreachable_pub,
    reason = "the entity macros want public rows; nothing outside the store can reach them"
)]

pub(super) mod tenant {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(schema_name = "leasing", table_name = "tenant")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub tenant_id: String,
        pub display_name: String,
        pub revision: i64,
        pub create_time: DateTimeUtc,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub(super) mod lease {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(schema_name = "leasing", table_name = "lease")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub operator_id: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub lease_id: String,
        pub lease_uid: Uuid,
        pub tenant_id: String,
        pub state: String,
        pub version: i32,
        pub revision: i64,
        pub reservation_id: Option<Uuid>,
        pub hold_expire_time: Option<DateTimeUtc>,
        pub hold_seconds: i64,
        pub ended_because: Option<String>,
        pub intent_rpc: Option<String>,
        pub intent_caller: Option<String>,
        pub intent_request_id: Option<Uuid>,
        pub intent_hash: Option<Vec<u8>>,
        pub sweep_at: Option<DateTimeUtc>,
        pub create_time: DateTimeUtc,
        pub update_time: DateTimeUtc,
        pub signed_time: Option<DateTimeUtc>,
        pub effective_time: Option<DateTimeUtc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub(super) mod lease_version {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(schema_name = "leasing", table_name = "lease_version")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub operator_id: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub lease_id: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub version: i32,
        pub terms: Vec<u8>,
        pub terms_hash: Vec<u8>,
        pub create_time: DateTimeUtc,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub(super) mod premises {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(schema_name = "leasing", table_name = "premises")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub operator_id: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub lease_id: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub version: i32,
        #[sea_orm(primary_key, auto_increment = false)]
        pub premises_no: i32,
        pub site_id: String,
        pub block_slug: String,
        pub time_zone: String,
        pub commencement_date: Date,
        pub end_date: Date,
        pub commence_at: DateTimeUtc,
        pub end_at: DateTimeUtc,
        pub state: String,
        pub commence_time: Option<DateTimeUtc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub(super) mod rate_step {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(schema_name = "leasing", table_name = "rate_step")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub operator_id: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub lease_id: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub version: i32,
        #[sea_orm(primary_key, auto_increment = false)]
        pub premises_no: i32,
        #[sea_orm(primary_key, auto_increment = false)]
        pub from_date: Date,
        #[sea_orm(column_type = "Decimal(Some((24, 10)))")]
        pub rate_per_kw_month: Decimal,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub(super) mod quantity_step {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(schema_name = "leasing", table_name = "quantity_step")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub operator_id: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub lease_id: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub version: i32,
        #[sea_orm(primary_key, auto_increment = false)]
        pub premises_no: i32,
        #[sea_orm(primary_key, auto_increment = false)]
        pub from_date: Date,
        pub critical_it_kw: i64,
        pub air_cooling_kw: i64,
        pub liquid_cooling_kw: i64,
        pub immersion_cooling_kw: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub(super) mod signature {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(schema_name = "leasing", table_name = "signature")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub operator_id: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub lease_id: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub version: i32,
        #[sea_orm(primary_key, auto_increment = false)]
        pub party: String,
        pub signatory_name: String,
        pub signatory_title: String,
        pub subject: String,
        pub terms_hash: Vec<u8>,
        pub signed_time: DateTimeUtc,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
