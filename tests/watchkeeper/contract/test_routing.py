import pytest

from watchkeeper.contract import Email, MailServer, Notifications, Receiver, Route, Webhook
from watchkeeper.errors import ContractError


def test_a_route_to_nobody_is_refused_however_deep():
    child = Route(receiver="nobody")
    with pytest.raises(ContractError, match="'nobody' is not declared"):
        Notifications(
            receivers=(Receiver("team"),),
            route=Route(receiver="team", routes=(Route(receiver="team", routes=(child,)),)),
        )


def test_mail_needs_a_server():
    mailing = Receiver("team", (Email(to="team@shop.example"),))
    with pytest.raises(ContractError, match="declare `mail`"):
        Notifications(receivers=(mailing,), route=Route(receiver="team"))
    server = MailServer(smarthost="localhost:25", sender="alerts@shop.example")
    assert Notifications(receivers=(mailing,), route=Route(receiver="team"), mail=server)


def test_a_webhook_has_one_address():
    with pytest.raises(ContractError, match="either url or url_file"):
        Webhook()
    with pytest.raises(ContractError, match="either url or url_file"):
        Webhook(url="http://a", url_file="b")
