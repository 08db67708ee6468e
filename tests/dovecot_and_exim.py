"""Dovecot and Exim with configurations of our own: Exim delivers into the Maildir folders that Dovecot serves."""

import os
import pwd
import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.mail_servers import CLIENT, DESK, DOVECOT, EXIM, PASSWORD, MailServers, free_ports, run_server


def dovecot_and_exim(servers: MailServers) -> None:
    # Exim refuses to deliver as root and Dovecot's sockets need a short path that its users may enter,
    # so the folder stands in /tmp itself and not under pytest's, which is closed to everybody else.
    home = Path(tempfile.mkdtemp(prefix="otk-mail-", dir="/tmp"))
    servers.closers.append(lambda: shutil.rmtree(home, ignore_errors=True))
    home.chmod(0o755)
    root = os.geteuid() == 0
    # With a configuration of one's own Exim gives up root and delivers as its own user.
    owner = pwd.getpwnam("Debian-exim") if root else pwd.getpwuid(os.geteuid())
    for name in ("mail", "spool", "log"):
        (home / name).mkdir()
        os.chown(home / name, owner.pw_uid, owner.pw_gid)
    servers.certificate = make_certificate(home, "localhost")
    imap, imaps, smtp, smtps = free_ports(4)
    servers.imap = {DESK: imap, CLIENT: imap}
    servers.imaps, servers.smtp, servers.smtps = imaps, smtp, smtps
    dovecot = home / "dovecot.conf"
    dovecot.write_text(_dovecot_conf(home, owner, imap, imaps, root))
    exim4 = home / "exim.conf"
    exim4.write_text(_exim_conf(home, smtp, smtps))
    exim4.chmod(0o644)
    assert DOVECOT is not None
    assert EXIM is not None
    run_server(servers, [DOVECOT, "-F", "-c", str(dovecot)], imap, home / "log" / "dovecot.out")
    run_server(servers, [EXIM, "-C", str(exim4), "-bdf", "-q5s"], smtp, home / "log" / "exim.out")


def _dovecot_conf(home: Path, owner: pwd.struct_passwd, imap: int, imaps: int, root: bool) -> str:
    users = "" if root else f"default_login_user = {owner.pw_name}\ndefault_internal_user = {owner.pw_name}\n"
    return f"""
protocols = imap
listen = 127.0.0.1
base_dir = {home}/run
state_dir = {home}/state
log_path = {home}/log/dovecot.log
ssl = yes
ssl_cert = <{home}/cert.pem
ssl_key = <{home}/key.pem
disable_plaintext_auth = no
auth_mechanisms = plain
mail_location = maildir:{home}/mail/%n/Maildir
first_valid_uid = 1
{users}
passdb {{
  driver = static
  args = password={PASSWORD}
}}
userdb {{
  driver = static
  args = uid={owner.pw_uid} gid={owner.pw_gid} home={home}/mail/%n
}}
namespace inbox {{
  inbox = yes
  mailbox "Отправленные" {{
    special_use = \\Sent
    auto = create
  }}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
}}
"""


def _exim_conf(home: Path, smtp: int, smtps: int) -> str:
    users = {address: address.partition("@")[0] for address in (DESK, CLIENT)}
    routers = "".join(
        f"{name}:\n  driver = accept\n  domains = {address.partition('@')[2]}\n  local_parts = {name}\n"
        f"  transport = to_{name}\n\n"
        for address, name in users.items()
    )
    transports = "".join(
        f"to_{name}:\n  driver = appendfile\n  directory = {home}/mail/{name}/Maildir\n  maildir_format\n"
        f"  create_directory\n  return_path_add\n  envelope_to_add\n  delivery_date_add\n\n"
        for name in users.values()
    )
    known = "or{" + "".join(f"{{eq{{$auth2}}{{{address}}}}}" for address in users) + "}"
    return f"""
primary_hostname = mx.school.test
domainlist local_domains = school.test : home.test
local_interfaces = 127.0.0.1
daemon_smtp_ports = {smtp} : {smtps}
tls_on_connect_ports = {smtps}
tls_advertise_hosts = *
tls_certificate = {home}/cert.pem
tls_privatekey = {home}/key.pem
spool_directory = {home}/spool
log_file_path = {home}/log/%slog
disable_ipv6 = true
host_lookup =
deliver_drop_privilege = true
keep_environment =
message_size_limit = 60M
smtp_accept_max = 50
acl_smtp_mail = acl_mail
acl_smtp_rcpt = acl_rcpt

begin acl
acl_mail:
  deny message = 5.7.1 sender is not yours
       condition = ${{if and{{{{def:authenticated_id}}{{!eqi{{$authenticated_id}}{{$sender_address}}}}}}}}
  accept
acl_rcpt:
  require domains = +local_domains
          message = 5.1.1 no such user
          verify = recipient
  accept

begin routers
{routers}
begin transports
{transports}
begin retry
*  *  F,1h,5s

begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${{if and{{{{{known}}}{{eq{{$auth3}}{{{PASSWORD}}}}}}}}}
  server_set_id = $auth2
  server_advertise_condition = *
"""


def make_certificate(home: Path, host: str) -> Path:
    """A self-signed certificate for ``host`` in cert.pem beside its key.pem."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = home / "cert.pem"
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    (home / "key.pem").write_bytes(private)
    (home / "key.pem").chmod(0o644)
    return path
