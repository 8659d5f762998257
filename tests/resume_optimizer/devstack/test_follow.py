from resume_optimizer.devstack.follow import Follow


def test_only_what_is_added_from_now_on_is_read(tmp_path):
    path = tmp_path / "inbox.log"
    following = Follow(path)
    assert list(following.new_lines()) == []
    path.write_text("before\n", encoding="utf-8")
    assert list(following.new_lines()) == []

    with path.open("a", encoding="utf-8") as file:
        file.write("one\ntwo\n")

    assert list(following.new_lines()) == ["one", "two"]
    assert list(following.new_lines()) == []
