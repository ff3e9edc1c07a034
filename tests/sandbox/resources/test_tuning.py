"""Fine-tuning jobs check their files, train in their time, and leave a model."""

from __future__ import annotations

import openai
import pytest

from connector.sandbox.resources.fine_tuning.training import InvalidTrainingFile, read_examples


def example(answer: str = "4") -> dict:
    return {"messages": [{"role": "user", "content": "2 + 2"}, {"role": "assistant", "content": answer}]}


async def begun(room, rows=None, **asked):
    file = await room.file(rows or [example()] * 12, "fine-tune")
    return await room.client.fine_tuning.jobs.create(training_file=file, model="gpt-4o-mini-2024-07-18", **asked)


async def test_a_job_goes_through_its_states_to_a_model(room) -> None:
    job = await begun(room, suffix="sums", metadata={"key": "1"})
    seen = [job.status]
    for _ in range(3):
        await room.pass_time()
        seen.append((await room.client.fine_tuning.jobs.retrieve(job.id)).status)
    assert seen == ["validating_files", "queued", "running", "succeeded"]
    done = await room.client.fine_tuning.jobs.retrieve(job.id)
    assert done.fine_tuned_model.startswith("ft:gpt-4o-mini-2024-07-18:sandbox:sums:")
    assert done.trained_tokens > 0
    assert done.hyperparameters.n_epochs == 3
    results = await room.client.files.content(done.result_files[0])
    assert results.text.startswith("step,train_loss")
    assert room.told() == [("fine_tuning.job.succeeded", job.id)]
    assert done.finished_at == job.created_at + 3


async def test_the_model_is_listed_used_and_deleted(room) -> None:
    job = await begun(room)
    await room.pass_time(10)
    model = (await room.client.fine_tuning.jobs.retrieve(job.id)).fine_tuned_model
    assert model in [one.id async for one in room.client.models.list()]
    said = await room.client.chat.completions.create(model=model, messages=[{"role": "user", "content": "hi"}])
    assert said.model == model
    assert (await room.client.models.delete(model)).deleted
    with pytest.raises(openai.NotFoundError) as refused:
        await room.client.models.retrieve(model)
    assert refused.value.code == "model_not_found"


async def test_events_and_checkpoints_tell_how_it_went(room) -> None:
    file = await room.file([example()] * 10, "fine-tune")
    job = await begun(room, validation_file=file, hyperparameters={"n_epochs": 2, "batch_size": 4})
    await room.pass_time(10)
    events = [event async for event in room.client.fine_tuning.jobs.list_events(job.id, limit=7)]
    assert events[0].message == "The job has successfully completed"
    assert events[-1].message == f"Created fine-tuning job: {job.id}"
    losses = [event.data["train_loss"] for event in events if event.type == "metrics"]
    assert losses == sorted(losses)
    assert len(losses) >= 2
    checkpoints = (await room.client.fine_tuning.jobs.checkpoints.list(job.id)).data
    assert [one.step_number for one in checkpoints] == [6, 3]
    assert checkpoints[0].metrics.full_valid_loss is not None
    job = await room.client.fine_tuning.jobs.retrieve(job.id)
    assert checkpoints[0].fine_tuned_model_checkpoint == job.fine_tuned_model
    assert (await room.client.models.retrieve(checkpoints[1].fine_tuned_model_checkpoint)).id.endswith("ckpt-step-3")


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        ([example()] * 3, "has 3 example"),
        ([{"messages": []}] * 12, "line 1: 'messages' is missing or empty"),
        ([{"messages": [{"role": "user", "content": "a"}]}] * 12, "not from the assistant"),
        ([{"messages": [{"role": "boss", "content": "a"}]}] * 12, "no role out of"),
    ],
)
async def test_a_bad_training_file_fails_the_job(room, rows, fault) -> None:
    job = await begun(room, rows)
    await room.pass_time()
    failed = await room.client.fine_tuning.jobs.retrieve(job.id)
    assert (failed.status, failed.error.code, failed.error.param) == (
        "failed",
        "invalid_training_file",
        "training_file",
    )
    assert fault in failed.error.message
    assert room.told() == [("fine_tuning.job.failed", job.id)]
    newest = (await room.client.fine_tuning.jobs.list_events(job.id)).data[0]
    assert newest.level == "error"


async def test_a_file_that_goes_while_it_is_checked_fails_the_job(room) -> None:
    job = await begun(room)
    await room.client.files.delete(job.training_file)
    await room.pass_time()
    assert (await room.client.fine_tuning.jobs.retrieve(job.id)).status == "failed"


async def test_what_cannot_be_trained_is_refused(room) -> None:
    file = await room.file("x", "user_data")
    with pytest.raises(openai.BadRequestError, match="takes one for 'fine-tune'"):
        await room.client.fine_tuning.jobs.create(training_file=file, model="gpt-4o-mini")
    good = await room.file([example()] * 12, "fine-tune")
    with pytest.raises(openai.NotFoundError, match="gpt-none"):
        await room.client.fine_tuning.jobs.create(training_file=good, model="gpt-none")


async def test_a_paused_job_waits_until_it_is_resumed(room) -> None:
    job = await begun(room)
    await room.pass_time()
    await room.client.fine_tuning.jobs.pause(job.id)
    await room.pass_time(100)
    assert (await room.client.fine_tuning.jobs.retrieve(job.id)).status == "queued"
    await room.client.fine_tuning.jobs.resume(job.id)
    with pytest.raises(openai.BadRequestError, match="not paused"):
        await room.client.fine_tuning.jobs.resume(job.id)
    await room.pass_time(1)
    assert (await room.client.fine_tuning.jobs.retrieve(job.id)).status == "running"
    await room.pass_time(1)
    assert (await room.client.fine_tuning.jobs.retrieve(job.id)).status == "succeeded"


async def test_a_cancelled_job_stays_so(room) -> None:
    job = await begun(room)
    assert (await room.client.fine_tuning.jobs.cancel(job.id)).status == "cancelled"
    await room.pass_time(10)
    assert (await room.client.fine_tuning.jobs.retrieve(job.id)).fine_tuned_model is None
    with pytest.raises(openai.BadRequestError, match="cannot be cancelled"):
        await room.client.fine_tuning.jobs.cancel(job.id)
    assert room.told() == [("fine_tuning.job.cancelled", job.id)]


async def test_jobs_are_found_by_metadata(room) -> None:
    wanted = await begun(room, metadata={"team": "a"})
    await begun(room, metadata={"team": "b"})
    listed = await room.client.fine_tuning.jobs.list(metadata={"team": "a"})
    assert [job.id for job in listed.data] == [wanted.id]


async def test_other_methods_have_files_of_their_own(room) -> None:
    said = [{"role": "assistant", "content": "4"}]
    preference = {
        "input": {"messages": example()["messages"][:1]},
        "preferred_output": said,
        "non_preferred_output": said,
    }
    job = await begun(room, [preference] * 10, method={"type": "dpo", "dpo": {"hyperparameters": {"beta": 0.2}}})
    await room.pass_time(10)
    done = await room.client.fine_tuning.jobs.retrieve(job.id)
    assert (done.status, done.method.dpo.hyperparameters.beta) == ("succeeded", 0.2)


def test_reinforcement_examples_end_with_the_user() -> None:
    good = b'{"messages": [{"role": "user", "content": "2 + 2"}], "answer": "4"}\n'
    assert read_examples(good * 10, "reinforcement").number == 10
    with pytest.raises(InvalidTrainingFile, match="not from the user"):
        read_examples(b'{"messages": [{"role": "assistant", "content": "4"}]}\n' * 10, "reinforcement")


async def test_permissions_of_a_checkpoint(room) -> None:
    permissions = room.client.fine_tuning.checkpoints.permissions
    given = await permissions.create("ft:a:b::c", project_ids=["proj_1", "proj_2"])
    assert [one.project_id async for one in given] == ["proj_1", "proj_2"]
    found = await permissions.list("ft:a:b::c", project_id="proj_2")
    [second] = found.data
    assert (await permissions.delete(second.id, fine_tuned_model_checkpoint="ft:a:b::c")).deleted
    assert [one.project_id for one in (await permissions.list("ft:a:b::c")).data] == ["proj_1"]
