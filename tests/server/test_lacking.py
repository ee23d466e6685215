"""What a machine was found not to have is forgotten after a while."""

from server.lacking import FORGET, Lacking


def test_a_machine_is_asked_again_after_a_while_or_when_told_to() -> None:
    now = [0.0]
    lacking = Lacking(lambda: now[0])
    lacking.add("vae/a")
    now[0] = 1.0
    lacking.add("vae/b")
    assert lacking.models() == ["vae/a", "vae/b"]
    now[0] = FORGET
    assert lacking.models() == ["vae/b"]
    lacking.forget("vae/b")
    assert lacking.models() == []
