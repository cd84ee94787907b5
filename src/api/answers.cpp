#include "answers.h"

#include "certwright/base/text.h"
#include "certwright/json/failure.h"

namespace certwright::api {

namespace {

// RFC 9110 section 15.
std::string TitleOf(int status) {
  switch (status) {
    case 400: return "Bad Request";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 410: return "Gone";
    case 405: return "Method Not Allowed";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    default: return "Internal Server Error";
  }
}

json::Value Problem(int status, std::string detail) {
  return json::Value::Object({{"type", "about:blank"},
                              {"title", TitleOf(status)},
                              {"status", status},
                              {"detail", std::move(detail)}});
}

}  // namespace

int HttpStatusOf(const actions::Result& result) {
  if (result.exit_code == 0) return 200;
  if (result.status == "validation-failed") return 400;
  if (result.failure && result.failure->code == FailureCode::kGone) return 410;
  switch (result.exit_code) {
    case 2:
    case 8: return 404;
    case 3: return 502;
    case 7: return 403;
    case 64: return 400;
    case 75: return 503;
    default: return 500;
  }
}

void AnswerJson(http::ServerReply& reply, int status, const json::Value& value,
                http::Headers headers) {
  reply.Whole(status, kJson, json::Write(value), std::move(headers));
}

http::SocketRefusal RefusalOf(int status, std::size_t most) {
  std::string detail = "the request cannot be read";
  if (status == 411) detail = "a body needs one Content-Length";
  if (status == 413) detail = Cat("a body may have ", most, " bytes at most");
  if (status == 414) detail = "the target is too long";
  if (status == 415 || status == 501) detail = "a body is taken as it is: neither encoded nor in chunks";
  if (status == 503) detail = "the daemon is stopping";
  return {kProblem, json::Write(Problem(status, std::move(detail)))};
}

void AnswerProblem(http::ServerReply& reply, int status, std::string detail,
                   http::Headers headers) {
  reply.Whole(status, kProblem, json::Write(Problem(status, std::move(detail))),
              std::move(headers));
}

void AnswerProblem(http::ServerReply& reply, const actions::Result& result,
                   const json::Members& more) {
  const int status = HttpStatusOf(result);
  json::Value problem = Problem(status, result.failure ? result.failure->detail : result.error);
  problem.Set("exit_code", result.exit_code);
  if (result.output) problem.Set("errors", *result.output);
  if (result.failure) problem.Set("failure", json::ToJson(*result.failure));
  for (const auto& [name, value] : more) problem.Set(name, value);
  reply.Whole(status, kProblem, json::Write(problem));
}

}  // namespace certwright::api
