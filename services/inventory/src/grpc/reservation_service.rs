//! `gridlease.inventory.v1.ReservationService`.

use std::sync::Arc;

use contracts::inventory::v1 as wire;
use contracts::inventory::v1::reservation_service_server::ReservationService;
use runtime::{caller, reply, status};
use tonic::{Request, Response, Status};

use super::{amendment, reservation};
use crate::app::App;

/// Answers for reservations.
pub struct ReservationHandler {
    app: Arc<App>,
}

impl ReservationHandler {
    /// A handler of these use cases.
    #[must_use]
    pub fn new(app: Arc<App>) -> Self {
        Self { app }
    }
}

#[tonic::async_trait]
impl ReservationService for ReservationHandler {
    async fn place_hold(
        &self,
        request: Request<wire::PlaceHoldRequest>,
    ) -> Result<Response<wire::PlaceHoldResponse>, Status> {
        let caller = caller(&request)?;
        let asked = reservation::place(request.get_ref()).map_err(status)?;
        let answer = self.app.place_hold(&caller, asked).await.map_err(status)?;
        reply(answer, reservation::placed)
    }

    async fn extend_hold(
        &self,
        request: Request<wire::ExtendHoldRequest>,
    ) -> Result<Response<wire::ExtendHoldResponse>, Status> {
        let caller = caller(&request)?;
        let asked = reservation::extend(request.get_ref()).map_err(status)?;
        let answer = self.app.extend_hold(&caller, asked).await.map_err(status)?;
        reply(answer, reservation::extended)
    }

    async fn commit_reservation(
        &self,
        request: Request<wire::CommitReservationRequest>,
    ) -> Result<Response<wire::CommitReservationResponse>, Status> {
        let caller = caller(&request)?;
        let asked = reservation::commit(request.get_ref()).map_err(status)?;
        let answer = self.app.commit_reservation(&caller, asked).await.map_err(status)?;
        reply(answer, reservation::committed)
    }

    async fn release_reservation(
        &self,
        request: Request<wire::ReleaseReservationRequest>,
    ) -> Result<Response<wire::ReleaseReservationResponse>, Status> {
        let caller = caller(&request)?;
        let asked = reservation::release(request.get_ref()).map_err(status)?;
        let answer = self.app.release_reservation(&caller, asked).await.map_err(status)?;
        reply(answer, reservation::released)
    }

    async fn amend_reservation(
        &self,
        request: Request<wire::AmendReservationRequest>,
    ) -> Result<Response<wire::AmendReservationResponse>, Status> {
        let caller = caller(&request)?;
        let asked = amendment::amend(request.get_ref()).map_err(status)?;
        let answer = self.app.amend_reservation(&caller, asked).await.map_err(status)?;
        reply(answer, amendment::amended)
    }

    async fn split_reservation(
        &self,
        request: Request<wire::SplitReservationRequest>,
    ) -> Result<Response<wire::SplitReservationResponse>, Status> {
        let caller = caller(&request)?;
        let asked = amendment::split(request.get_ref()).map_err(status)?;
        let answer = self.app.split_reservation(&caller, asked).await.map_err(status)?;
        reply(answer, |parts| amendment::split_into(parts))
    }

    async fn merge_reservations(
        &self,
        request: Request<wire::MergeReservationsRequest>,
    ) -> Result<Response<wire::MergeReservationsResponse>, Status> {
        let caller = caller(&request)?;
        let asked = amendment::merge(request.get_ref()).map_err(status)?;
        let answer = self.app.merge_reservations(&caller, asked).await.map_err(status)?;
        reply(answer, amendment::merged)
    }

    async fn get_reservation(
        &self,
        request: Request<wire::GetReservationRequest>,
    ) -> Result<Response<wire::GetReservationResponse>, Status> {
        let caller = caller(&request)?;
        let (name, at) = reservation::get(request.get_ref()).map_err(status)?;
        let answer = self.app.get_reservation(&caller, &name, at).await.map_err(status)?;
        Ok(Response::new(wire::GetReservationResponse { reservation: Some(reservation::to_wire(&answer)) }))
    }

    async fn list_reservations(
        &self,
        request: Request<wire::ListReservationsRequest>,
    ) -> Result<Response<wire::ListReservationsResponse>, Status> {
        let caller = caller(&request)?;
        let asked = reservation::list(request.get_ref()).map_err(status)?;
        let answer = self.app.list_reservations(&caller, asked).await.map_err(status)?;
        Ok(Response::new(wire::ListReservationsResponse {
            reservations: answer.items.iter().map(reservation::to_wire).collect(),
            next_page_token: answer.next,
        }))
    }
}
