//! `gridlease.inventory.v1.IncidentService`.

use std::sync::Arc;

use contracts::inventory::v1 as wire;
use contracts::inventory::v1::incident_service_server::IncidentService;
use runtime::{caller, reply, status};
use tonic::{Request, Response, Status};

use super::{curtailment, incident};
use crate::app::App;

/// Answers for outages and curtailments.
pub struct IncidentHandler {
    app: Arc<App>,
}

impl IncidentHandler {
    /// A handler of these use cases.
    #[must_use]
    pub fn new(app: Arc<App>) -> Self {
        Self { app }
    }
}

#[tonic::async_trait]
impl IncidentService for IncidentHandler {
    async fn report_incident(
        &self,
        request: Request<wire::ReportIncidentRequest>,
    ) -> Result<Response<wire::ReportIncidentResponse>, Status> {
        let caller = caller(&request)?;
        let asked = incident::report(request.get_ref()).map_err(status)?;
        let answer = self.app.report_incident(&caller, asked).await.map_err(status)?;
        reply(answer, incident::reported)
    }

    async fn open_incident(
        &self,
        request: Request<wire::OpenIncidentRequest>,
    ) -> Result<Response<wire::OpenIncidentResponse>, Status> {
        let caller = caller(&request)?;
        let asked = incident::open(request.get_ref()).map_err(status)?;
        let answer = self.app.open_incident(&caller, asked).await.map_err(status)?;
        reply(answer, incident::opened)
    }

    async fn update_incident(
        &self,
        request: Request<wire::UpdateIncidentRequest>,
    ) -> Result<Response<wire::UpdateIncidentResponse>, Status> {
        let caller = caller(&request)?;
        let asked = incident::update(request.get_ref()).map_err(status)?;
        let answer = self.app.update_incident(&caller, asked).await.map_err(status)?;
        reply(answer, incident::updated)
    }

    async fn close_incident(
        &self,
        request: Request<wire::CloseIncidentRequest>,
    ) -> Result<Response<wire::CloseIncidentResponse>, Status> {
        let caller = caller(&request)?;
        let asked = incident::close(request.get_ref()).map_err(status)?;
        let answer = self.app.close_incident(&caller, asked).await.map_err(status)?;
        reply(answer, incident::closed)
    }

    async fn announce_curtailment(
        &self,
        request: Request<wire::AnnounceCurtailmentRequest>,
    ) -> Result<Response<wire::AnnounceCurtailmentResponse>, Status> {
        let caller = caller(&request)?;
        let asked = curtailment::announce(request.get_ref()).map_err(status)?;
        let answer = self.app.announce_curtailment(&caller, asked).await.map_err(status)?;
        reply(answer, curtailment::announced)
    }

    async fn get_incident(
        &self,
        request: Request<wire::GetIncidentRequest>,
    ) -> Result<Response<wire::GetIncidentResponse>, Status> {
        let caller = caller(&request)?;
        let asked = incident::name(&request.get_ref().name).map_err(status)?;
        let answer = self.app.get_incident(&caller, &asked).await.map_err(status)?;
        Ok(Response::new(wire::GetIncidentResponse { incident: Some(incident::to_wire(&answer)) }))
    }

    async fn list_incidents(
        &self,
        request: Request<wire::ListIncidentsRequest>,
    ) -> Result<Response<wire::ListIncidentsResponse>, Status> {
        let caller = caller(&request)?;
        let asked = incident::list(request.get_ref()).map_err(status)?;
        let answer = self.app.list_incidents(&caller, asked).await.map_err(status)?;
        Ok(Response::new(wire::ListIncidentsResponse {
            incidents: answer.items.iter().map(incident::to_wire).collect(),
            next_page_token: answer.next,
        }))
    }

    async fn list_curtailments(
        &self,
        request: Request<wire::ListCurtailmentsRequest>,
    ) -> Result<Response<wire::ListCurtailmentsResponse>, Status> {
        let caller = caller(&request)?;
        let asked = curtailment::list(request.get_ref()).map_err(status)?;
        let answer = self.app.list_curtailments(&caller, asked).await.map_err(status)?;
        Ok(Response::new(wire::ListCurtailmentsResponse {
            curtailments: answer.items.iter().map(curtailment::to_wire).collect(),
            next_page_token: answer.next,
        }))
    }
}
