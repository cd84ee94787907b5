#include "certwright/migrate/readers.h"

#include <filesystem>

#include "certwright/base/encoding.h"
#include "certwright/crypto/certificate.h"
#include "certwright/crypto/key.h"
#include "certwright/json/value.h"
#include "certwright/migrate/document.h"
#include "fixture.h"

namespace certwright::migrate {
namespace {

using testing::AcmeJson;
using testing::CertbotTree;
using testing::Known;
using testing::LegoTree;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Whether chain and key of what was found belong together.
void ExpectPair(const FoundCertificate& found) {
  const auto chain = crypto::InspectChain(found.chain_pem);
  EXPECT_GE(chain.size(), 2u) << found.from;
  EXPECT_EQ(chain.front().public_key_der, crypto::PrivateKey::FromPem(found.key_pem).PublicKeyDer())
      << found.from;
}

std::vector<std::string> NamesOf(const FoundCertificate& found) {
  return model::Names(crypto::InspectChain(found.chain_pem).front().names);
}

TEST(ReadTraefikAcme, FindsEveryResolversAccountAndCertificates) {
  const Found found = ReadTraefikAcme(AcmeJson(), Known());
  EXPECT_THAT(found.left_out, IsEmpty());
  ASSERT_THAT(found.accounts, SizeIs(2));
  EXPECT_EQ(found.accounts[0].directory, "https://127.0.0.1:23827/dir");
  EXPECT_THAT(found.accounts[0].url, HasSubstr("https://127.0.0.1:23827/my-account/"));
  EXPECT_THAT(found.accounts[0].contact, ElementsAre("mailto:admin@example.com"));
  EXPECT_EQ(crypto::PrivateKey::FromPem(found.accounts[0].key_pem).Type(),
            model::KeyType::kRsa4096);
  ASSERT_THAT(found.certificates, SizeIs(2));
  EXPECT_THAT(NamesOf(found.certificates[0]), ElementsAre("tr-a.example.org", "tr-b.example.org"));
  EXPECT_THAT(NamesOf(found.certificates[1]), ElementsAre("tr-c.example.org"));
  for (const auto& certificate : found.certificates) {
    ExpectPair(certificate);
    EXPECT_EQ(certificate.directory, "https://127.0.0.1:23827/dir");
  }
}

TEST(ReadTraefikAcme, LeavesOutWhatIsDamagedAndReadsTheRest) {
  const Secret account_key(json::Parse(AcmeJson().Reveal())["le"]["Account"].String("PrivateKey"));
  json::Value document = json::Parse(AcmeJson().Reveal());
  json::Value resolver = document["le"];
  json::Value account = resolver["Account"];
  account.Set("PrivateKey", "!" + account_key.Reveal());
  json::Value broken = resolver["Certificates"].Items()[0];
  broken.Set("key", "%%%");
  json::Value certificates = resolver["Certificates"];
  certificates.Append(broken);
  certificates.Append(json::Value());
  resolver.Set("Account", account).Set("Certificates", certificates);
  document.Set("le", resolver).Set("odd", 7);

  const Found found = ReadTraefikAcme(Secret(json::Write(document)), Known());
  EXPECT_THAT(found.accounts, SizeIs(1));
  EXPECT_THAT(found.certificates, SizeIs(2));
  EXPECT_THAT(
      found.left_out,
      ElementsAre(LeftOut{"account of the resolver le", "its PrivateKey is no base64, or empty"},
                  LeftOut{"resolver le, tr-a.example.org", "its key is no base64, or empty"},
                  LeftOut{"resolver le, ?", "its certificate is no base64, or empty"},
                  LeftOut{"odd", "it is no resolver with account and certificates"}));
}

TEST(ReadTraefikAcme, SaysWhatNeedsTheNameOfItsCa) {
  const Found found = ReadTraefikAcme(AcmeJson(), {{"https://ca.example/dir"}, ""});
  EXPECT_THAT(found.accounts, IsEmpty());
  ASSERT_THAT(found.left_out, SizeIs(2));
  EXPECT_THAT(found.left_out[0].why, HasSubstr("--directory URL"));
  ASSERT_THAT(found.certificates, SizeIs(2));  // it is served all the same
  EXPECT_EQ(found.certificates[0].directory, "");

  const Found named = ReadTraefikAcme(AcmeJson(), {{}, "https://ca.example/dir"});
  EXPECT_THAT(named.left_out, IsEmpty());
  EXPECT_EQ(named.accounts.at(0).directory, "https://ca.example/dir");
}

TEST(ReadTraefikAcme, KnowsAnEmptyFileAndRefusesOthers) {
  EXPECT_THAT(ReadTraefikAcme(Secret(""), Known()).certificates, IsEmpty());
  EXPECT_THAT(ReadTraefikAcme(Secret("{}"), Known()).accounts, IsEmpty());
  struct Wrong {
    const char* text;
    const char* says;
  };
  for (const Wrong& wrong : {Wrong{"[]", "no acme.json"}, Wrong{"{\"le\": ", ""},
                             Wrong{R"({"Account":{"Registration":{}},"Certificates":[]})",
                                   "Traefik 1"}}) {
    try {
      ReadTraefikAcme(Secret(wrong.text), Known());
      ADD_FAILURE() << wrong.text;
    } catch (const Error& error) {
      EXPECT_EQ(error.failure().code, FailureCode::kInput);
      EXPECT_THAT(error.failure().detail, HasSubstr(wrong.says));
    }
  }
}

TEST(ReadCertbot, FindsAccountLineagesAndTheirPolicy) {
  const Found found = ReadCertbot(CertbotTree());
  EXPECT_THAT(found.left_out, IsEmpty());
  ASSERT_THAT(found.accounts, SizeIs(1));
  EXPECT_EQ(found.accounts[0].directory, "https://127.0.0.1:15424/dir");
  EXPECT_EQ(found.accounts[0].url, "https://127.0.0.1:15424/my-account/daa54bda93e1bc0");
  ASSERT_THAT(found.certificates, SizeIs(2));
  const FoundCertificate& ecdsa = found.certificates[0];
  const FoundCertificate& rsa = found.certificates[1];
  ExpectPair(ecdsa);
  ExpectPair(rsa);
  EXPECT_THAT(NamesOf(ecdsa), ElementsAre("cb-a.example.org", "cb-b.example.org"));
  EXPECT_EQ(ecdsa.directory, "https://127.0.0.1:15424/dir");
  EXPECT_EQ(ecdsa.policy.key_type, model::KeyType::kEc384);
  EXPECT_EQ(ecdsa.policy.preferred_chain, "Pebble Root");
  EXPECT_EQ(ecdsa.policy.reuse_key, std::nullopt);
  EXPECT_EQ(rsa.policy.key_type, model::KeyType::kRsa2048);
  EXPECT_EQ(rsa.policy.reuse_key, true);
}

TEST(ReadCertbot, LeavesOutWhatIsDamagedAndReadsTheRest) {
  Tree tree = CertbotTree();
  tree.erase("live/cb-a.example.org/privkey.pem");
  tree.erase("renewal/cb-c.example.org.conf");
  const std::string folder = "accounts/127.0.0.1:15424/dir/7f347f215f37de0ad2bf3ef8b88a3e4d";
  tree[folder + "/private_key.json"] = Secret("{\"kty\":\"RSA\"}");
  tree["renewal/gone.conf"] = Secret("[renewalparams]\nserver = https://ca.example/dir\n");
  const Found found = ReadCertbot(tree);
  EXPECT_THAT(found.accounts, IsEmpty());
  ASSERT_THAT(found.certificates, SizeIs(1));
  EXPECT_EQ(found.certificates[0].from, "live/cb-c.example.org");
  EXPECT_EQ(found.certificates[0].directory, "");  // its file in renewal/ said which CA
  EXPECT_THAT(
      found.left_out,
      ElementsAre(LeftOut{folder, "the private key is incomplete: its JWK has no member 'n'"},
                  LeftOut{"live/cb-a.example.org", "live/cb-a.example.org/privkey.pem is missing"},
                  LeftOut{"live/gone", "live/gone/fullchain.pem is missing"}));
}

TEST(ReadCertbot, TakesTheAccountThatRenewalsUseFirst) {
  Tree tree = CertbotTree();
  const std::string used = "accounts/127.0.0.1:15424/dir/7f347f215f37de0ad2bf3ef8b88a3e4d";
  const std::string other = "accounts/127.0.0.1:15424/dir/00000000000000000000000000000000";
  for (const char* file : {"/private_key.json", "/regr.json"}) {
    tree[other + file] = tree.at(used + file);
  }
  const Found found = ReadCertbot(tree);
  ASSERT_THAT(found.accounts, SizeIs(2));
  EXPECT_EQ(found.accounts[0].from, used);
}

TEST(ReadLego, FindsAccountAndCertificates) {
  const Found found = ReadLego(LegoTree(), Known());
  EXPECT_THAT(found.left_out, IsEmpty());
  ASSERT_THAT(found.accounts, SizeIs(1));
  EXPECT_EQ(found.accounts[0].directory, "https://127.0.0.1:15424/dir");
  EXPECT_EQ(found.accounts[0].url, "https://127.0.0.1:15424/my-account/46eeefcf64e208b5");
  EXPECT_THAT(found.accounts[0].contact, ElementsAre("mailto:admin@example.com"));
  ASSERT_THAT(found.certificates, SizeIs(2));
  EXPECT_THAT(NamesOf(found.certificates[0]),
              ElementsAre("lego-a.example.org", "lego-b.example.org"));
  for (const auto& certificate : found.certificates) {
    ExpectPair(certificate);
    EXPECT_EQ(certificate.directory, "https://127.0.0.1:15424/dir");
  }
}

TEST(ReadLego, KnowsTheLayoutOfItsFifthVersion) {
  const Tree four = LegoTree();
  const std::string folder = "accounts/127.0.0.1_15424/admin@example.com";
  Tree five;
  for (const auto& [path, content] : four) {
    if (path.starts_with("certificates/")) five.emplace(path, content);
  }
  five[folder + "/EC256/admin@example.com.key"] = four.at(folder + "/keys/admin@example.com.key");
  five[folder + "/EC256/account.json"] = Secret(
      R"({"id": "admin@example.com", "email": "admin@example.com", "keyType": "EC256",
          "registration": {"status": "valid", "contact": ["mailto:admin@example.com"],
                           "accountURL": "https://127.0.0.1:15424/my-account/46eeefcf64e208b5"}})");
  const Found found = ReadLego(five, Known());
  EXPECT_THAT(found.left_out, IsEmpty());
  ASSERT_THAT(found.accounts, SizeIs(1));
  EXPECT_EQ(found.accounts[0].url, "https://127.0.0.1:15424/my-account/46eeefcf64e208b5");
  EXPECT_THAT(found.accounts[0].contact, ElementsAre("mailto:admin@example.com"));
  EXPECT_THAT(found.certificates, SizeIs(2));
}

TEST(ReadLego, AddsTheIssuerThatIsNotInTheBundle) {
  Tree tree = LegoTree();
  Secret& chain = tree.at("certificates/lego-a.example.org.crt");
  chain = Secret(ToPem("CERTIFICATE", SplitPem(chain.Reveal()).front().der));
  ExpectPair(ReadLego(tree, Known()).certificates.at(0));
}

TEST(ReadLego, LeavesOutWhatIsDamagedAndReadsTheRest) {
  Tree tree = LegoTree();
  tree.erase("certificates/lego-a.example.org.key");
  tree.erase("accounts/127.0.0.1_15424/admin@example.com/keys/admin@example.com.key");
  const Found found = ReadLego(tree, Known());
  EXPECT_THAT(found.certificates, SizeIs(1));
  ASSERT_THAT(found.left_out, SizeIs(2));
  EXPECT_EQ(found.left_out[0].why, "its key admin@example.com.key is missing");
  EXPECT_EQ(found.left_out[1],
            (LeftOut{"certificates/lego-a.example.org",
                     "its .key is missing: was it made for a CSR?"}));
}

TEST(Directories, GoByHostAndPort) {
  const Directories directories{
      {"https://CA.example:14000/dir", "https://ca.example/acme/directory",
       "https://ca.example/other"},
      "https://last.example/dir"};
  struct Row {
    const char* url;
    const char* directory;
  };
  for (const Row& row :
       {Row{"https://ca.example:14000/my-account/1", "https://CA.example:14000/dir"},
        Row{"https://ca.example/acct/1", "https://ca.example/acme/directory"},
        Row{"http://ca.example/acct/1", "https://last.example/dir"},
        Row{"https://ca.example.org/acct/1", "https://last.example/dir"},
        Row{"", "https://last.example/dir"}, Row{"no url", "https://last.example/dir"}}) {
    EXPECT_EQ(directories.Of(row.url), row.directory) << row.url;
  }
  EXPECT_EQ(directories.OfHost("ca.example_14000"), "https://CA.example:14000/dir");
  EXPECT_EQ(directories.OfHost("ca.example"), "https://ca.example/acme/directory");
}

TEST(Document, CarriesAllThatWasFound) {
  Found found = ReadCertbot(CertbotTree());
  found.left_out.push_back({"somewhere", "something"});
  found.uploads.push_back({"upload", "chain", Secret("key")});
  found.routes.push_back({"route", json::Value::Object({{"instance", "a"}})});
  found.settings = {"https://ca.example/dir", "", {"192.0.2.1"}, 2, {"a.example.org"}};
  const json::Value document = ToDocument(found);
  const Found again = FromDocument(json::Parse(json::Write(document), {1 << 20, 32}));
  EXPECT_EQ(ToDocument(again), document);
  EXPECT_EQ(again.certificates.at(0).policy, found.certificates.at(0).policy);
  EXPECT_EQ(again.certificates.at(1).policy, found.certificates.at(1).policy);
}

TEST(ReadTree, FollowsLinksAndPassesOverWhatLeadsNowhere) {
  std::string pattern = (std::filesystem::temp_directory_path() / "cw-tree-XXXXXX").string();
  ASSERT_NE(mkdtemp(pattern.data()), nullptr);
  const Path dir = pattern;
  std::filesystem::create_directories(dir / "live" / "a");
  WriteFileAtomically(dir / "key.pem", "key");
  WriteFileAtomically(dir / "live" / "a" / "big.pem", std::string((1 << 20) + 1, 'x'));
  WriteFileAtomically(dir / "live" / "a" / "notes.txt", "text");
  std::filesystem::create_symlink("../../key.pem", dir / "live" / "a" / "link.pem");
  std::filesystem::create_symlink("nowhere", dir / "live" / "a" / "dangling.pem");
  std::filesystem::create_symlink("..", dir / "live" / "a" / "loop");
  const Tree tree = ReadTree(dir, {"live", "absent"}, {".pem"});
  EXPECT_EQ(tree.at("live/a/link.pem"), Secret("key"));
  EXPECT_EQ(FindFile(tree, "live/a/big.pem"), nullptr);
  EXPECT_EQ(FindFile(tree, "live/a/notes.txt"), nullptr);
  EXPECT_THAT(FoldersOf(tree, "live"), ElementsAre("a"));
  EXPECT_EQ(ReadTree(dir, {""}, {".pem"}).size(), 1u);
  EXPECT_THROW(ReadTree(dir / "absent", {""}, {""}), Error);
  std::filesystem::remove_all(dir);
}

}  // namespace
}  // namespace certwright::migrate
