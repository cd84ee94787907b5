#include "handler.h"
#include "routes_fixture.h"

namespace certwright::actions {
namespace {

class OtherRoutesTest : public RoutesTest {
 protected:
  void Set(const std::string& instance) {
    Output("set-route", Cat(R"({"url":"http://127.0.0.1:1","path":"/a","host":"a.example.org",)",
                            R"("instance":")", instance, "\"}"));
  }
};

TEST_F(OtherRoutesTest, EachChecksTheInstance) {
  for (const char* action : {"get-route", "delete-route", "set-route"}) {
    for (const char* instance : {"../x", ".x", "_x", "a/b", "", "a b", "a\\u0000b"}) {
      const Result result = Run(action, Cat(R"({"instance":")", instance, "\"}"));
      EXPECT_EQ(result.exit_code, 10) << action << instance;
      EXPECT_EQ(OneViolation(result).String("field"), "instance") << action << instance;
    }
    EXPECT_EQ(Run(action, "").exit_code, 10) << action;
    EXPECT_EQ(Run(action, R"({"instance":"a","instance":"b"})").exit_code, 10) << action;
  }
}

TEST_F(OtherRoutesTest, ListGivesNamesOrWholeRoutes) {
  EXPECT_EQ(json::Write(Output("list-routes", "null")), "[]");
  Set("m2");
  Set("m1");
  for (const char* nothing : {"null", "", "\"\"", "{}", R"({"expand_list":false})"}) {
    EXPECT_EQ(json::Write(Output("list-routes", nothing)), R"(["m1","m2"])") << nothing;
  }
  const json::Value whole = Output("list-routes", R"({"expand_list":true})");
  ASSERT_EQ(whole.Items().size(), 2u);
  EXPECT_EQ(json::Write(whole.Items()[0]), Route("m1"));
  EXPECT_EQ(Run("list-routes", R"({"expand_list":"yes"})").exit_code, 10);
}

TEST_F(OtherRoutesTest, DeleteIsFineWithWhatIsMissing) {
  Set("m1");
  const std::int64_t seq = LastEvent();
  for (int i = 0; i < 2; ++i) {
    const Result result = Run("delete-route", R"({"instance":"m1"})", "", "routeadm");
    EXPECT_EQ(result.exit_code, 0) << result.error;
    EXPECT_FALSE(result.output);
  }
  EXPECT_EQ(EventsAfter(seq), "routes-changed deleted m1, hosts-changed deleted a.example.org");
  EXPECT_EQ(Route("m1"), "{}");
}

TEST(BearsToken, IsWholeWordsOnly) {
  const struct {
    const char* instance;
    const char* module;
    bool bears;
  } kTable[] = {
      {"mail1", "mail1", true},       {"mail1-web", "mail1", true},
      {"web-mail1", "mail1", true},   {"a.mail1_b", "mail1", true},
      {"mail10", "mail1", false},     {"xmail1", "mail1", false},
      {"mail1x-mail1", "mail1", true}, {"mail1x-1mail1", "mail1", false},
      {"Mail1", "mail1", false},      {"mail", "mail1", false},
      {"mail1.example.org", "mail1", true}, {"mail1", "", false},
      {"my-app1-web", "my-app1", true}, {"amy-app1", "my-app1", false},
      {"a-b", ".*", false},
  };
  for (const auto& row : kTable) {
    EXPECT_EQ(BearsToken(row.instance, row.module), row.bears) << row.instance << ' ' << row.module;
  }
}

TEST_F(OtherRoutesTest, ModuleRemovedTakesItsRoutesAndNoCertificate) {
  Hold({{"mail1.example.org"}, model::Origin::kUpload});
  Set("mail1");
  Set("mail1-web");
  Set("mail10");
  const auto removed = [&](const char* input) {
    return json::Write(Output("module-removed", input));
  };
  EXPECT_EQ(removed(R"({"module":"mail1","node":4})"), R"({"routes":[]})") << "another node";
  EXPECT_EQ(removed(R"({"module":"mail1","node":"4"})"), R"({"routes":[]})");
  EXPECT_EQ(removed(R"({"module":"mail1","node":3})"), R"({"routes":["mail1","mail1-web"]})");
  EXPECT_EQ(json::Write(Output("list-routes", "")), R"(["mail10"])");
  EXPECT_EQ(removed(R"({"module":"mail10","node":"3"})"), R"({"routes":["mail10"]})");
  EXPECT_TRUE(IsInStore("mail1.example.org"));
  EXPECT_EQ(Run("module-removed", "{}").exit_code, 10);
  EXPECT_EQ(Run("module-removed", R"({"module":"mail1"})", "", "fulladm").exit_code, 7);
}

}  // namespace
}  // namespace certwright::actions
