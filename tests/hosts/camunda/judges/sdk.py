"""Speaks to a cluster with Camunda's own client, and reads with its models what a worker sent: JSON in, JSON out."""

import json
import sys

from camunda_orchestration_sdk import CamundaClient
from camunda_orchestration_sdk.models.job_activation_request import JobActivationRequest
from camunda_orchestration_sdk.models.job_completion_request import JobCompletionRequest
from camunda_orchestration_sdk.models.job_error_request import JobErrorRequest
from camunda_orchestration_sdk.models.job_fail_request import JobFailRequest
from camunda_orchestration_sdk.models.job_update_request import JobUpdateRequest

MODELS = {
    "activation": JobActivationRequest,
    "completion": JobCompletionRequest,
    "failure": JobFailRequest,
    "error": JobErrorRequest,
    "update": JobUpdateRequest,
}


def main() -> None:
    """Plays the client, then reads the requests."""
    given = json.load(sys.stdin)
    client = CamundaClient(
        configuration={"CAMUNDA_REST_ADDRESS": f"{given['url']}/v2", "CAMUNDA_AUTH_STRATEGY": "NONE"}
    )
    taken = client.activate_jobs(
        data=JobActivationRequest(
            type_="openai-connector:1", timeout=10_000, max_jobs_to_activate=3, worker="judge", request_timeout=100
        )
    ).jobs
    client.complete_job(taken[0].job_key, data=JobCompletionRequest.from_dict({"variables": {"a": 1}}))
    client.fail_job(taken[1].job_key, data=JobFailRequest.from_dict({"retries": 0, "errorMessage": "no"}))
    client.throw_job_error(taken[2].job_key, data=JobErrorRequest.from_dict({"errorCode": "E"}))
    read = [[what, MODELS[what].from_dict(body).to_dict()] for what, body in given["requests"]]
    unread = [
        [what, sorted(model.additional_properties)]
        for what, body in given["requests"]
        if (model := MODELS[what].from_dict(body)) is not None and getattr(model, "additional_properties", None)
    ]
    shown = [
        {"key": str(job.job_key), "headers": job.custom_headers.to_dict(), "retries": job.retries} for job in taken
    ]
    json.dump({"taken": shown, "read": read, "unread": unread}, sys.stdout)


if __name__ == "__main__":
    main()
