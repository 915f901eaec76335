"""The proof of a secret: a token came, or what its refusal means, and when."""

from __future__ import annotations

from datetime import timedelta

import pytest
from fake_entra import HALF_YEAR, After, Before, Fault, Kept, Office, lost, never_arrived, refusal

from mimapp.credentials import Proof, Verdict, issue, prove
from mimapp.errors import ReplyLostError, UnreachableError, UsageError
from mimapp.secret import Secret

BLOCKED = {
    "conditional access": "53003",
    "device state": "53001",
    "not assigned": "50105",
    "the application is switched off": "7000112",
    "no such tenant": "90002",
    "no such resource": "500011",
    "a code that nobody knows": "999999",
}


def office_with_secret(office: Office, **values: timedelta) -> Secret:
    for name, value in values.items():
        setattr(office.entra, name, value)
    issue(office.desk(), HALF_YEAR)
    return Secret(office.entra.kept[0].value)


def proof_of(office: Office, secret: Secret) -> Proof:
    desk = office.desk()
    return prove(desk, secret, usable_by=office.clock.now() + office.window)


def tokens(office: Office) -> int:
    return office.entra.seen.count("token")


def test_a_secret_that_gets_a_token_works(office: Office) -> None:
    proof = proof_of(office, office_with_secret(office))
    assert proof == Proof(verdict=Verdict.WORKS, roles=("full_access_as_app",), tries=1)
    assert office.clock.slept == []


def test_a_new_secret_is_waited_for_and_every_try_asks_entra(office: Office) -> None:
    secret = office_with_secret(office, usable_after=timedelta(seconds=18))
    proof = proof_of(office, secret)
    assert proof.verdict is Verdict.WORKS
    assert proof.tries == tokens(office) > 2
    assert sum(office.clock.slept) >= 18
    assert {(wait.what, wait.reason) for wait in office.waits} == {("client secret", "not usable yet (AADSTS7000215)")}


def test_a_wrong_secret_is_wrong_when_the_window_is_over_and_not_before(office: Office) -> None:
    office_with_secret(office)
    begun = office.clock.now()
    proof = proof_of(office, Secret("replaced-secret~of somebody else"))
    assert (proof.verdict, proof.code) == (Verdict.WRONG, "7000215")
    assert "Invalid client secret provided" in proof.reason
    waited = office.clock.now() - begun
    assert office.window <= waited <= office.window + timedelta(seconds=33)


def test_a_refusal_that_was_asked_for_inside_the_window_is_not_the_last_word(office: Office) -> None:
    secret = office_with_secret(office, usable_after=timedelta(seconds=70))
    office.window = timedelta(seconds=60)

    def slow(kind: str) -> None:
        assert kind == "token"
        office.clock.advance(timedelta(seconds=61))

    office.entra.on_request = slow
    assert proof_of(office, secret).verdict is Verdict.WORKS


def test_an_old_secret_that_is_refused_is_wrong_at_once(office: Office) -> None:
    desk = office.desk()
    proof = prove(desk, Secret("replaced-secret~old"), usable_by=office.clock.now())
    assert (proof.verdict, proof.tries, office.clock.slept) == (Verdict.WRONG, 1, [])


def test_an_expired_secret_is_wrong_at_once(office: Office) -> None:
    office.entra.script["token"].append(refusal("7000222", "The provided client secret keys are expired."))
    proof = proof_of(office, Secret("replaced-secret~old"))
    assert (proof.verdict, proof.code, proof.tries) == (Verdict.WRONG, "7000222", 1)


@pytest.mark.parametrize("code", BLOCKED.values(), ids=BLOCKED)
def test_what_is_not_the_secrets_fault_leaves_it_standing(office: Office, code: str) -> None:
    office.entra.script["token"].append(refusal(code, "Not from here.", status=400))
    proof = proof_of(office, office_with_secret(office))
    assert (proof.verdict, proof.code, proof.tries) == (Verdict.BLOCKED, code, 1)
    assert "Not from here." in proof.reason


@pytest.mark.parametrize("code", ["700016", "7000229"], ids=["application", "service principal"])
def test_an_application_that_entra_does_not_know_yet_is_waited_for(office: Office, code: str) -> None:
    office.entra.script["token"].extend([refusal(code, "not found", status=400)] * 3)
    proof = proof_of(office, office_with_secret(office))
    assert (proof.verdict, proof.tries) == (Verdict.WORKS, 4)


@pytest.mark.parametrize("code", ["700016", "7000229"], ids=["application", "service principal"])
def test_an_application_that_stays_unknown_says_nothing_about_the_secret(office: Office, code: str) -> None:
    office.entra.script["token"].extend([refusal(code, "not found", status=400)] * 1000)
    proof = proof_of(office, office_with_secret(office))
    assert (proof.verdict, proof.code) == (Verdict.UNDECIDED, code)


def test_a_run_without_time_does_not_call_a_secret_wrong(office: Office) -> None:
    secret = office_with_secret(office, usable_after=timedelta(minutes=4))
    office.limit = timedelta(minutes=1)
    proof = proof_of(office, secret)
    assert proof.verdict is Verdict.UNDECIDED
    assert sum(office.clock.slept) <= 60


def test_a_service_that_is_not_well_does_not_make_a_secret_wrong(office: Office) -> None:
    office.entra.script["token"].extend([refusal("90033", "transient", status=503)] * 1000)
    desk = office.desk()
    proof = prove(desk, office_with_secret(office), usable_by=office.clock.now())
    assert proof.verdict is Verdict.UNDECIDED


def test_a_lost_reply_of_sign_in_is_asked_for_again(office: Office) -> None:
    office.entra.script["token"].extend([After(lost()), Before(lost())])
    assert proof_of(office, office_with_secret(office)).verdict is Verdict.WORKS


@pytest.mark.parametrize(
    ("fault", "error"), [(Before(never_arrived()), UnreachableError), (After(lost()), ReplyLostError)]
)
def test_no_answer_is_no_verdict(office: Office, fault: Fault, error: type[Exception]) -> None:
    secret = office_with_secret(office)
    office.entra.script["token"].extend([fault] * 1000)
    with pytest.raises(error):
        proof_of(office, secret)


def test_the_id_of_a_secret_is_not_sent_as_one(office: Office) -> None:
    office_with_secret(office)
    with pytest.raises(UsageError, match="this is the secret's id"):
        proof_of(office, Secret(office.entra.kept[0].key_id))
    assert tokens(office) == 0


def test_no_proof_shows_the_secret(office: Office) -> None:
    office.entra.kept.append(
        Kept(key_id="k", label="l", value="replaced-secret~v", made=office.clock.now(), end="2027-05-20T00:00:00Z")
    )
    assert "replaced-secret~v" not in repr(proof_of(office, Secret("replaced-secret~v")))
