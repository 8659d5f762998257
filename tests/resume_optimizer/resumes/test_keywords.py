from hypothesis import given
from hypothesis import strategies as st

from resume_optimizer.resumes.keywords import listed_names, posting_keywords
from resume_optimizer.resumes.sample import POSTING, read_text


def weight(posting: str, name: str) -> float:
    return {keyword.name: keyword.weight for keyword in posting_keywords(posting)}[name]


def test_the_sample_posting_wants_kubernetes_most() -> None:
    keywords = posting_keywords(read_text(POSTING))
    assert keywords[0].name == "Kubernetes"
    assert {"Prometheus", "Terraform", "SLOs", "Go", "German"} <= {one.name for one in keywords}


def test_the_title_counts_more_than_requirements_and_these_more_than_wishes() -> None:
    posting = "Python engineer\n\nWe are a team.\nRequirements\n- Docker\nNice to have\n- Kafka\n"
    weights = [weight(posting, name) for name in ("Python", "Docker", "Kafka")]
    assert weights == sorted(weights, reverse=True)
    assert len(set(weights)) == 3


def test_what_is_said_twice_counts_more() -> None:
    assert weight("A job\nDocker, Docker, Kafka", "Docker") > weight("A job\nDocker", "Docker")


def test_a_keyword_keeps_the_spelling_of_the_posting_but_not_a_role_or_a_slip() -> None:
    written = {
        one.name: one.written
        for one in posting_keywords("Job\nAmazon Web Services, a Product Manager, Kuberentes")
    }
    assert written == {
        "AWS": "Amazon Web Services",
        "Product Management": "Product Management",
        "Kubernetes": "Kubernetes",
    }


def test_one_entry_of_a_list_may_hold_several_skills() -> None:
    assert listed_names(["Docker and k8s", "golang"]) == {"Docker", "Kubernetes", "Go"}


@given(st.text(max_size=2000))
def test_any_posting_gives_keywords_with_weights_above_zero(posting: str) -> None:
    assert all(keyword.weight > 0 for keyword in posting_keywords(posting))
