#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "certwright/base/error.h"
#include "certwright/config/config.h"
#include "certwright/export/bundle.h"
#include "certwright/probe/endpoint.h"

namespace certwright::config {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// A folder of its own for each test, and a Certwright of root without any environment.
class Load : public ::testing::Test {
 protected:
  Load() {
    char name[] = "/tmp/certwright-config-XXXXXX";
    dir_ = mkdtemp(name);
    environment_.standard_file = dir_ / "standard.toml";
  }
  ~Load() override { std::filesystem::remove_all(dir_); }

  Path Write(const std::string& text, const std::string& name = "certwright.toml") {
    std::ofstream(dir_ / name) << text;
    return dir_ / name;
  }
  Config Read(const std::string& text) { return config::Load(Write(text), environment_); }
  std::string ErrorOf(const std::string& text) {
    try {
      Read(text);
    } catch (const Error& error) {
      EXPECT_EQ(error.failure().code, FailureCode::kConfig);
      EXPECT_NE(error.failure().advice, "");
      return error.failure().detail;
    }
    return "(no error)";
  }

  Path dir_;
  Environment environment_;
};

TEST_F(Load, TakesTheDefaultsOfRootWithoutAnyFile) {
  const Config config = config::Load(std::nullopt, environment_);
  EXPECT_EQ(config.state_dir, "/var/lib/certwright");
  EXPECT_EQ(config.runtime_dir, "/run/certwright");
  EXPECT_EQ(config.traefik.certificate_dir, "/var/lib/certwright/traefik");
  EXPECT_EQ(config.acme.directory, "https://acme-v02.api.letsencrypt.org/directory");
  EXPECT_EQ(config.fuse.window, 168 * 3600);
  EXPECT_EQ(config.file, "");
  ASSERT_EQ(config.api_sockets.size(), 1U);
  EXPECT_EQ(config.api_sockets[0].path, "/run/certwright/certwright.sock");
  EXPECT_EQ(config.api_sockets[0].role, "owner");
  EXPECT_EQ(config.api_sockets[0].mode, 0600U);
}

TEST_F(Load, PutsAUsersDefaultsBelowTheXdgDirectories) {
  struct Row {
    const char* name;
    std::string state_home, runtime_dir, home;
    std::string state, runtime;
  };
  const Row rows[] = {
      {"both set", "/x/state", "/x/run", "/home/u", "/x/state/certwright", "/x/run/certwright"},
      {"neither set", "", "", "/home/u", "/home/u/.local/state/certwright",
       "/home/u/.local/state/certwright/run"},
      {"relative ones do not count", "state", "run", "/home/u", "/home/u/.local/state/certwright",
       "/home/u/.local/state/certwright/run"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    environment_.root = false;
    environment_.xdg_state_home = row.state_home;
    environment_.xdg_runtime_dir = row.runtime_dir;
    environment_.home = row.home;
    const Config config = config::Load(std::nullopt, environment_);
    EXPECT_EQ(config.state_dir, row.state);
    EXPECT_EQ(config.runtime_dir, row.runtime);
    EXPECT_EQ(config.api_sockets.at(0).path, row.runtime + "/certwright.sock");
  }
  environment_.home = "";
  environment_.xdg_state_home = "";
  EXPECT_THROW(config::Load(std::nullopt, environment_), Error);
}

TEST_F(Load, ChoosesTheFileByOptionThenEnvironmentThenStandardPlace) {
  const Path option = Write("node.id = 2\n", "option.toml");
  const Path variable = Write("node.id = 3\n", "variable.toml");
  EXPECT_EQ(config::Load(std::nullopt, environment_).node_id, 1);
  Write("node.id = 4\n", "standard.toml");
  EXPECT_EQ(config::Load(std::nullopt, environment_).node_id, 4);
  environment_.config_file = variable;
  EXPECT_EQ(config::Load(std::nullopt, environment_).node_id, 3);
  EXPECT_EQ(config::Load(option, environment_).node_id, 2);
  EXPECT_EQ(config::Load(option, environment_).file, option);
}

TEST_F(Load, ReadsEveryKey) {
  const Config config = Read(R"(
state_dir = "state"
runtime_dir = "/run/cw"
[log]
level = "debug"
[node]
id = 7
module_id = "traefik3"
[acme]
directory = "http://127.0.0.1:14000/dir"
email = "a@example.org"
agree_to_terms = true
ca_bundle = "ca.pem"
profile = "shortlived"
preferred_chain = "ISRG Root X1"
eab_kid = "kid-1"
eab_hmac_key_file = "../eab.key"
allow_http_loopback = true
exchange_timeout = 5
[certificate]
key_type = "rsa3072"
reuse_key = true
[http01]
listen = "[::]:80"
[traefik]
dynamic_dir = "/etc/traefik/dynamic"
certificate_dir = "pem"
group = "traefik"
api = "http://127.0.0.1:8080/"
https_address = "localhost:8443"
http_entrypoint = "web"
https_entrypoint = "websecure"
[renewal]
side_by_side = 3
check = "30s"
interval = "2m"
[fuse]
orders_per_name_set = 9
window = "1d12h"
[events]
dir = "events"
timeout = "2m"
[[api.socket]]
path = "owner.sock"
[[api.socket]]
path = "mail.sock"
role = "certadm"
mode = "0660"
group = "mail"
caller = "module/mail1"
)");
  EXPECT_EQ(config.state_dir, dir_ / "state");
  EXPECT_EQ(config.runtime_dir, "/run/cw");
  EXPECT_EQ(config.log_level, "debug");
  EXPECT_EQ(config.node_id, 7);
  EXPECT_EQ(config.module_id, "traefik3");
  EXPECT_EQ(config.acme.directory, "http://127.0.0.1:14000/dir");
  EXPECT_EQ(config.acme.email, "a@example.org");
  EXPECT_TRUE(config.acme.agree_to_terms);
  EXPECT_EQ(config.acme.ca_bundle, dir_ / "ca.pem");
  EXPECT_EQ(config.acme.profile, "shortlived");
  EXPECT_EQ(config.acme.preferred_chain, "ISRG Root X1");
  EXPECT_EQ(config.acme.eab_kid, "kid-1");
  EXPECT_EQ(config.acme.eab_hmac_key_file, dir_.parent_path() / "eab.key");
  EXPECT_TRUE(config.acme.allow_http_loopback);
  EXPECT_EQ(config.acme.exchange_timeout, 5);
  EXPECT_EQ(config.certificate.key_type, model::KeyType::kRsa3072);
  EXPECT_TRUE(config.certificate.reuse_key);
  EXPECT_EQ(config.http01_listen, "[::]:80");
  EXPECT_EQ(config.traefik.dynamic_dir, "/etc/traefik/dynamic");
  EXPECT_EQ(config.traefik.certificate_dir, dir_ / "pem");
  EXPECT_EQ(config.traefik.group, "traefik");
  EXPECT_EQ(config.traefik.api, "http://127.0.0.1:8080");
  EXPECT_EQ(config.traefik.https_address, "localhost:8443");
  EXPECT_EQ(config.traefik.http_entrypoint, "web");
  EXPECT_EQ(config.traefik.https_entrypoint, "websecure");
  EXPECT_EQ(config.renewal.side_by_side, 3);
  EXPECT_EQ(config.renewal.check, 30);
  EXPECT_EQ(config.renewal.interval, 120);
  EXPECT_EQ(config.fuse.orders_per_name_set, 9);
  EXPECT_EQ(config.fuse.window, 36 * 3600);
  EXPECT_EQ(config.events_dir, dir_ / "events");
  EXPECT_EQ(config.events_timeout, 120);
  ASSERT_EQ(config.api_sockets.size(), 2U);
  EXPECT_EQ(config.api_sockets[0].path, dir_ / "owner.sock");
  EXPECT_EQ(config.api_sockets[1].path, dir_ / "mail.sock");
  EXPECT_EQ(config.api_sockets[1].role, "certadm");
  EXPECT_EQ(config.api_sockets[1].mode, 0660U);
  EXPECT_EQ(config.api_sockets[1].group, "mail");
  EXPECT_EQ(config.api_sockets[1].caller, "module/mail1");
}

TEST_F(Load, KnowsCasByShortName) {
  const std::pair<const char*, const char*> rows[] = {
      {"letsencrypt", "https://acme-v02.api.letsencrypt.org/directory"},
      {"letsencrypt-staging", "https://acme-staging-v02.api.letsencrypt.org/directory"},
      {"zerossl", "https://acme.zerossl.com/v2/DV90"},
      {"google", "https://dv.acme-v02.api.pki.goog/directory"},
      {"https://ca.example:9000/acme/x/directory", "https://ca.example:9000/acme/x/directory"},
  };
  for (const auto& [name, url] : rows) {
    EXPECT_EQ(Read(std::string("acme.directory = \"") + name + "\"").acme.directory, url);
  }
}

TEST_F(Load, SaysWhereEachValueCameFrom) {
  const Config config = Read("# first\nnode.id = 5\n[traefik]\napi = \"http://127.0.0.1:1/\"\n");
  EXPECT_EQ(config.origins.at("node.id").value, "5");
  EXPECT_EQ(config.origins.at("node.id").source, (dir_ / "certwright.toml").string() + ":2");
  EXPECT_EQ(config.origins.at("traefik.api").value, "\"http://127.0.0.1:1\"");
  EXPECT_EQ(config.origins.at("traefik.api").source, (dir_ / "certwright.toml").string() + ":4");
  EXPECT_EQ(config.origins.at("fuse.window").value, "\"168h\"");
  EXPECT_EQ(config.origins.at("fuse.window").source, "default");
  EXPECT_THAT(config.origins.at("api.socket").value, StartsWith("[{ path = \"/run/certwright/"));
}

TEST_F(Load, NamesFileLineKeyAndWhatWouldBeRight) {
  struct Row {
    const char* name;
    const char* text;
    const char* wanted;  // behind the file's name
  };
  const Row rows[] = {
      {"typing error in a key", "[acme]\nemial = \"x\"",
       ":2: acme.emial: unknown key; did you mean acme.email?"},
      {"typing error in a section", "[acmee]\nemail = \"x\"",
       ":2: acmee.email: unknown key; did you mean acme.email?"},
      {"not built yet", "\n[acme]\nladder = \"1h\"", ":3: acme.ladder: unknown key"},
      {"no such array", "[[exports]]\nnames = []", ":1: exports: unknown key"},
      {"dotted key in quotes", "\"acme.email\" = \"x\"", ":1: \"acme.email\": unknown key"},
      {"text for an integer", "node.id = \"1\"",
       ":1: node.id: is the text \"1\", wanted is an integer; for example node.id = 1"},
      {"integer for a text", "acme.email = 5",
       ":1: acme.email: is the integer 5, wanted is a text in quotes; for example acme.email = "
       "\"admin@example.org\""},
      {"text for a flag", "acme.agree_to_terms = \"yes\"",
       ":1: acme.agree_to_terms: is the text \"yes\", wanted is true or false"},
      {"section for a text", "[state_dir]\nx = 1",
       ":1: state_dir: is a section, wanted is a text in quotes"},
      {"text for a section", "acme = \"x\"",
       ":1: acme: is the text \"x\", wanted is a section: [acme]"},
      {"below the range", "fuse.orders_per_name_set = 0",
       ":1: fuse.orders_per_name_set: 0 is out of range; it goes from 1 to 1000"},
      {"a flood", "renewal.side_by_side = 33",
       ":1: renewal.side_by_side: 33 is out of range; it goes from 1 to 32"},
      {"a loop", "renewal.interval = \"59s\"", ":1: renewal.interval: "},
      {"never", "renewal.check = \"2h\"", ":1: renewal.check: "},
      {"above the range", "fuse.window = \"400d\"",
       ":1: fuse.window: 9600h is out of range; it goes from 60s to 8760h"},
      {"no duration", "events.timeout = \"fast\"", ":1: events.timeout: \"fast\" is no duration"},
      {"duration too large to count", "fuse.window = \"99999999999999999w\"", "is no duration"},
      {"unknown level", "log.level = \"loud\"",
       ":1: log.level: is \"loud\", wanted is one of info, trace"},
      {"unknown key type", "certificate.key_type = \"ec512\"", ":1: certificate.key_type: "},
      {"unknown CA", "acme.directory = \"letsencrypt-stagin\"",
       "is neither a URL nor a short name; did you mean \"letsencrypt-staging\"?"},
      {"plain http", "acme.directory = \"http://ca.example/dir\"",
       ":1: acme.directory: must be https"},
      {"plain http, loopback not allowed", "acme.directory = \"http://127.0.0.1/dir\"",
       "needs acme.allow_http_loopback"},
      {"plain http elsewhere, loopback allowed",
       "acme.allow_http_loopback = true\nacme.directory = \"http://127.0.0.1.ca.example/dir\"",
       ":2: acme.directory: must be https"},
      {"user name in a URL", "acme.directory = \"https://me@ca.example/dir\"", "user name"},
      {"mailto", "acme.email = \"mailto:a@example.org\"", "without \"mailto:\""},
      {"two addresses", "acme.email = \"a@example.org,b@example.org\"", "no single mail address"},
      {"binding without key", "[acme]\neab_kid = \"k\"",
       ":2: acme.eab_kid: is set and eab_hmac_key_file is not"},
      {"metrics for everybody", "[metrics]\nlisten = \":9181\"",
       ":2: metrics.listen: \":9181\" is not on loopback"},
      {"web hook by http", "[[events.webhook]]\nurl = \"http://h.example/\"\nsecret_file = \"s\"",
       ":1: events.webhook: http://h.example/: url must be https"},
      {"web hook without secret", "[[events.webhook]]\nurl = \"https://h.example/\"",
       ":1: events.webhook: https://h.example/: has no secret_file"},
      {"web hook without url", "[[events.webhook]]\nsecret_file = \"s\"",
       ":1: events.webhook: has no url; for example url = "},
      {"web hook of no kind",
       "[[events.webhook]]\nurl = \"https://h.example/\"\nkinds = [\"cert-changed\"]",
       ":3: events.webhook.kinds: \"cert-changed\" is no kind of event"},
      {"fall-back without directory", "[[acme.fallback]]\nemail = \"a@example.org\"",
       ":1: acme.fallback: has no directory; for example directory = \"letsencrypt\""},
      {"fall-back once more", "[[acme.fallback]]\ndirectory = \"letsencrypt\"",
       ":1: acme.fallback: names acme.directory once more; a fall-back is another CA"},
      {"fall-back twice",
       "[[acme.fallback]]\ndirectory = \"zerossl\"\n[[acme.fallback]]\ndirectory = \"zerossl\"",
       ":3: acme.fallback.directory: https://acme.zerossl.com/v2/DV90 is the directory of another "
       "section too"},
      {"fall-back with half a binding",
       "[[acme.fallback]]\ndirectory = \"zerossl\"\neab_kid = \"k\"",
       ":1: acme.fallback: https://acme.zerossl.com/v2/DV90: eab_kid is set and eab_hmac_key_file is "
       "not"},
      {"fall-back by http", "[[acme.fallback]]\ndirectory = \"http://ca.example/dir\"",
       ":1: acme.fallback: http://ca.example/dir: directory must be https"},
      {"fall-back with an unknown key", "[[acme.fallback]]\ndirectory = \"zerossl\"\nmail = \"a\"",
       ":3: acme.fallback.mail: unknown key; did you mean acme.fallback.email?"},
      {"binding without id", "[acme]\neab_hmac_key_file = \"k\"",
       ":2: acme.eab_hmac_key_file: is set and eab_kid is not"},
      {"no port", "http01.listen = \"127.0.0.1\"", ":1: http01.listen: \"127.0.0.1\" has no port"},
      {"port too high", "http01.listen = \"127.0.0.1:65536\"", "ports go from 1 to 65535"},
      {"a name to listen on", "http01.listen = \"localhost:80\"", "has no IP address"},
      {"a resolver that is no list", "probe.resolver = 53", "wanted is a list of texts"},
      {"a number in it", "probe.resolver = [\"192.0.2.53:53\", 53]", "wanted is a text in quotes"},
      {"a name for a resolver", "probe.resolver = [\"dns.example:53\"]", "has no IP address"},
      {"no address of it", "probe.resolver = [\":53\"]", "has no IP address"},
      {"no port of it", "probe.resolver = [\"192.0.2.53\"]", "has no port"},
      {"a port that is none", "probe.http_port = 0", "probe.http_port"},
      {"bare IPv6", "http01.listen = \"::1:80\"", "without brackets"},
      {"API over plain http elsewhere", "traefik.api = \"http://10.0.0.1:8080\"",
       "plain http to another machine"},
      {"API without scheme", "traefik.api = \"127.0.0.1:8080\"", "is no URL"},
      {"entrypoint with rule syntax", "traefik.http_entrypoint = \"a`b\"",
       ":1: traefik.http_entrypoint: \"a`b\" holds"},
      {"one directory for both", "traefik.dynamic_dir = \"/x\"\ntraefik.certificate_dir = \"/x\"",
       ":2: traefik.certificate_dir: "},
      {"empty state directory", "state_dir = \"\"", ":1: state_dir: is empty"},
      {"control character", "acme.profile = \"a\\u0000b\"", "control character"},
      {"mode with execute bit", "[[api.socket]]\npath = \"s\"\nmode = \"0755\"",
       ":3: api.socket.mode: \"0755\" is no mode for a socket"},
      {"mode as integer", "[[api.socket]]\npath = \"s\"\nmode = 660",
       ":3: api.socket.mode: is the integer 660, wanted is a text in quotes; for example mode = "
       "\"0660\""},
      {"unknown role", "[[api.socket]]\npath = \"s\"\nrole = \"root\"",
       ":3: api.socket.role: is \"root\", wanted is one of owner, fulladm, certadm, routeadm, "
       "reader"},
      {"socket without path", "[[api.socket]]\nrole = \"owner\"", ":1: api.socket: has no path"},
      {"unknown key of a socket", "[[api.socket]]\npath = \"s\"\nrol = \"x\"",
       ":3: api.socket.rol: unknown key; did you mean api.socket.role?"},
      {"two sockets at one path", "[[api.socket]]\npath = \"s\"\n[[api.socket]]\npath = \"./s\"",
       ":3: api.socket.path: "},
      {"socket as a plain section", "[api.socket]\npath = \"s\"",
       ":1: api.socket: is a section, wanted are one or more sections: [[api.socket]]"},
      {"path too long for a socket",
       "[[api.socket]]\npath = "
       "\"/"
       "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
       "aaaaaaaaaaaaaaaaaaaa\"",
       "longer than the 107 bytes"},
      {"export without names", "[[export]]\ndir = \"d\"", ":1: export: has no names"},
      {"export of no name", "[[export]]\nnames = [\"a_b\"]\ndir = \"d\"", ":2: export.names: "},
      {"export without target", "[[export]]\nnames = [\"a.example.org\"]",
       ":1: export: the export a.example.org needs a dir or a path, and not both"},
      {"export with two targets",
       "[[export]]\nnames = [\"a.example.org\"]\ndir = \"d\"\npath = \"p\"",
       "needs a dir or a path, and not both"},
      {"several names for one path",
       "[[export]]\nnames = [\"a.example.org\", \"b.example.org\"]\npath = \"p\"",
       "has several names for one path"},
      {"two exports with one target",
       "[[export]]\nnames = [\"a.example.org\"]\ndir = \"d\"\n"
       "[[export]]\nnames = [\"b.example.org\"]\ndir = \"./d\"",
       "has the target of another export"},
      {"two exports with one name",
       "[[export]]\nnames = [\"a.example.org\"]\ndir = \"d\"\nname = \"n\"\n"
       "[[export]]\nnames = [\"b.example.org\"]\ndir = \"e\"\nname = \"n\"",
       "the export n has the name of another export"},
      {"unknown format", "[[export]]\nnames = [\"a.example.org\"]\npath = \"p\"\nformat = \"pfx\"",
       ":4: export.format: is \"pfx\", wanted is one of pem, "},
      {"a key for everybody",
       "[[export]]\nnames = [\"a.example.org\"]\ndir = \"d\"\nmode = \"0644\"",
       "lets everybody read a private key"},
      {"a mode that others write",
       "[[export]]\nnames = [\"a.example.org\"]\ndir = \"d\"\nmode = \"0660\"",
       ":4: export.mode: \"0660\" is no mode for such a file"},
      {"reload as a line of a shell",
       "[[export]]\nnames = [\"a.example.org\"]\ndir = \"d\"\nreload = \"systemctl reload x\"",
       ":4: export.reload: is one word with blanks, and no shell divides it"},
      {"a password that nobody needs",
       "[[export]]\nnames = [\"a.example.org\"]\ndir = \"d\"\npassword_file = \"p\"",
       "has a password_file, which format pem has no use for"},
      {"an address without a name", "[[served]]\nhost = \"127.0.0.1\"",
       ":1: served: the host 127.0.0.1 is no name that a certificate can have; add name"},
      {"a host with a port", "[[served]]\nhost = \"a.example.org/x\"",
       ":2: served.host: \"a.example.org/x\" is neither a host name nor an IP address"},
      {"a port that is none", "[[served]]\nhost = \"a.example.org\"\nport = 65536",
       ":3: served.port: 65536 is out of range"},
      {"another protocol", "[[served]]\nhost = \"a.example.org\"\nstarttls = \"xmpp\"",
       ":3: served.starttls: is \"xmpp\", wanted is one of none, smtp, "},
      {"not TOML", "node.id = 1\nnode.id 2\n", ":2:9: is not TOML: "},
      {"a key twice", "node.id = 1\nnode.id = 2\n", ":2:"},
      {"not UTF-8", "acme.email = \"\xff\"\n", "is not TOML"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    const std::string text = ErrorOf(row.text);
    EXPECT_THAT(text, StartsWith((dir_ / "certwright.toml").string() + ":"));
    EXPECT_THAT(text, HasSubstr(row.wanted));
  }
}

TEST_F(Load, TakesExports) {
  const Config config = Read(
      "[[export]]\nnames = [\"Mail.example.org\", \"*.example.org\"]\ndir = \"tls\"\n"
      "mode = \"0640\"\ngroup = \"mail\"\nreload = [\"systemctl\", \"reload\", \"postfix\"]\n"
      "[[export]]\nnames = \"a.example.org\"\npath = \"/p.p12\"\nformat = \"pkcs12\"\n"
      "name = \"tomcat\"\npassword_file = \"secret\"\nreload_timeout = \"5s\"\n");
  ASSERT_EQ(config.exports.size(), 2U);
  const Export& mail = config.exports[0];
  EXPECT_EQ(mail.names, (std::vector<std::string>{"mail.example.org", "*.example.org"}));
  EXPECT_EQ(mail.dir, dir_ / "tls");
  EXPECT_EQ(mail.name, (dir_ / "tls").string());
  EXPECT_EQ(mail.mode, 0640U);
  EXPECT_EQ(mail.reload, (std::vector<std::string>{"systemctl", "reload", "postfix"}));
  EXPECT_EQ(mail.reload_timeout, 60);
  const Export& tomcat = config.exports[1];
  EXPECT_EQ(tomcat.name, "tomcat");
  EXPECT_EQ(tomcat.target(), "/p.p12");
  EXPECT_EQ(tomcat.password_file, dir_ / "secret");
  EXPECT_EQ(tomcat.mode, std::nullopt);
  EXPECT_EQ(tomcat.reload_timeout, 5);
}

TEST_F(Load, TakesEndpoints) {
  const Config config = Read(
      "[[served]]\nhost = \"Mail.example.org\"\nstarttls = \"smtp\"\n"
      "[[served]]\nhost = \"::1\"\nport = 636\nname = \"LDAP.example.org\"\n");
  ASSERT_EQ(config.served.size(), 2U);
  EXPECT_EQ(config.served[0].host, "Mail.example.org");
  EXPECT_EQ(config.served[0].port, 0);
  EXPECT_EQ(config.served[0].name, "mail.example.org");
  EXPECT_EQ(config.served[0].starttls, "smtp");
  EXPECT_EQ(config.served[1].name, "ldap.example.org");
  EXPECT_EQ(config.served[1].starttls, "none");
  EXPECT_EQ(config.probe.served_grace, 300);
}

TEST_F(Load, KnowsTheProtocolsOfEndpoints) {
  const std::vector<std::string> known(std::begin(kStartTls), std::end(kStartTls));
  EXPECT_EQ(known, probe::StartTlsNames());
}

TEST_F(Load, KnowsTheFormatsOfExports) {
  const std::vector<std::string> known(std::begin(kExportFormats), std::end(kExportFormats));
  EXPECT_EQ(known, exports::FormatNames());
}

TEST_F(Load, TellsAllProblemsInTheOrderOfTheFile) {
  const std::string file = (dir_ / "certwright.toml").string();
  const std::string text = ErrorOf("[traefik]\napo = \"x\"\n[acme]\nemail = 1\n");
  EXPECT_THAT(text, StartsWith(file + ":2: traefik.apo: unknown key"));
  EXPECT_THAT(text, HasSubstr("\n" + file + ":4: acme.email: "));
}

TEST_F(Load, RefusesANamedFileThatIsNotThere) {
  try {
    config::Load(dir_ / "missing.toml", environment_);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.failure().code, FailureCode::kConfig);
    EXPECT_THAT(error.what(), HasSubstr("missing.toml (named by --config) is not there"));
  }
  environment_.config_file = dir_ / "gone.toml";
  try {
    config::Load(std::nullopt, environment_);
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("named by CERTWRIGHT_CONFIG"));
  }
  EXPECT_THROW(config::Load(dir_, environment_), Error);  // a directory
}

}  // namespace
}  // namespace certwright::config
