-- Drafts of a run in order of lease, as they are taken to be issued: without it each chunk of a run read and sorted all
-- drafts that were left, and looked through those that were issued already to see whether one was.
create index invoice_draft_of_run on billing.invoice (operator_id, run_id, lease_id, invoice_id) where state = 'DRAFT';
