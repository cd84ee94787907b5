#include "target.h"

#include <gtest/gtest.h>

#include "certwright/base/error.h"

namespace certwright::api {
namespace {

using Segments = std::vector<std::string>;
using Query = std::vector<std::pair<std::string, std::string>>;

TEST(Target, IsReadSegmentBySegment) {
  const struct {
    const char* raw;
    Segments segments;
    Query query;
  } kTable[] = {
      {"/", {""}, {}},
      {"/v1/a", {"v1", "a"}, {}},
      {"/v1/a/", {"v1", "a", ""}, {}},
      {"/v1/a%2Fb", {"v1", "a/b"}, {}},
      {"/v1/%2e%2E", {"v1", ".."}, {}},
      {"/v1/*.example.org,b%C3%BC", {"v1", "*.example.org,b\xc3\xbc"}, {}},
      {"/v1/a+b", {"v1", "a+b"}, {}},
      {"/v1?", {"v1"}, {}},
      {"/v1?a=1&b=x+y%20z&c", {"v1"}, {{"a", "1"}, {"b", "x y z"}, {"c", ""}}},
      {"/v1?a=b=c?d", {"v1"}, {{"a", "b=c?d"}}},
      {"/v1?%61=%26", {"v1"}, {{"a", "&"}}},
  };
  for (const auto& row : kTable) {
    const Target target = ParseTarget(row.raw);
    EXPECT_EQ(target.segments, row.segments) << row.raw;
    EXPECT_EQ(target.query, row.query) << row.raw;
  }
}

TEST(Target, WhatIsNotExactlyThatIsRefused) {
  for (const char* raw : {"", "v1", "http://x/v1", "*", "/v1/%", "/v1/%4", "/v1/%zz", "/v1/%+1",
                          "/v1/%-1", "/v1/%ff", "/v1/%c3", "/v1/\xc3\xbc", "/v1/a b", "/v1/\x01",
                          "/v1?a=%", "/v1?a=%f", "/v1?=1", "/v1?a=1&a=1", "/v1?a=1&&b=1", "/v1?&",
                          "/v1?a=1&%61=2", "/v1?a=%ff", "/v1?a=\x7f"}) {
    EXPECT_THROW(ParseTarget(raw), Error) << raw;
  }
}

TEST(Target, EscapedComesBackAsItWas) {
  const std::string all = "a/b?c#d%e+f g\r\n\"\\\xc3\xbc../";
  EXPECT_EQ(ParseTarget("/" + Escaped(all)).segments, Segments{all});
}

}  // namespace
}  // namespace certwright::api
