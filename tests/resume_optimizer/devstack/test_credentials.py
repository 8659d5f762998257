from resume_optimizer.devstack.credentials import credentials


def test_credentials_are_made_once_and_kept_private(tmp_path):
    path = tmp_path / "credentials.json"
    made = credentials(path)
    assert credentials(path) == made
    assert path.stat().st_mode & 0o777 == 0o600


def test_no_two_runs_share_a_password_and_none_is_printed(tmp_path):
    one, other = credentials(tmp_path / "a"), credentials(tmp_path / "b")
    assert one.database_password != other.database_password
    assert one.database_password not in repr(one)
