"""What a TLS client sees: the certificate that a server on loopback shows for a name."""

import socket
import ssl
import time

from cryptography import x509


def served_certificate(port, server_name, host="127.0.0.1", timeout=5.0):
    """The leaf shown for SERVER_NAME (None: no SNI at all), whoever signed it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with socket.create_connection((host, port), timeout=timeout) as plain:
        with context.wrap_socket(plain, server_hostname=server_name) as secure:
            return x509.load_der_x509_certificate(secure.getpeercert(binary_form=True))


def names_of(certificate):
    """The SANs, as text, in lower case."""
    sans = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return sorted(str(entry.value).lower() for entry in sans)


def wait_for_serial(port, server_name, serial, timeout=10.0):
    """Handshakes until the leaf with SERIAL is served; False when it is not within TIMEOUT."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        try:
            if served_certificate(port, server_name).serial_number == serial:
                return True
        except OSError:
            pass
        time.sleep(0.02)
    return False


def first_certificate(text):
    """The first certificate of a PEM text."""
    end = "-----END CERTIFICATE-----"
    begin = text.index("-----BEGIN CERTIFICATE-----")
    return x509.load_pem_x509_certificate((text[begin:text.index(end, begin)] + end + "\n").encode())
