// How an answer looks.
#pragma once

#include <string>

#include "certwright/actions/runner.h"
#include "certwright/http/local_socket.h"
#include "certwright/json/value.h"

namespace certwright::api {

inline constexpr char kJson[] = "application/json";
// What is said of a request that the socket itself refuses, one with more than `most` bytes among
// them.
http::SocketRefusal RefusalOf(int status, std::size_t most);

inline constexpr char kLines[] = "application/x-ndjson";
inline constexpr char kEventStream[] = "text/event-stream";
inline constexpr char kProblem[] = "application/problem+json";

// See certwright/api/server.h.
int HttpStatusOf(const actions::Result& result);

void AnswerJson(http::ServerReply& reply, int status, const json::Value& value,
                http::Headers headers = {});
// RFC 9457: {type, title, status, detail}.
void AnswerProblem(http::ServerReply& reply, int status, std::string detail,
                   http::Headers headers = {});
// The problem that a result stands for: also exit_code, and failure or errors, and `more`.
void AnswerProblem(http::ServerReply& reply, const actions::Result& result,
                   const json::Members& more = {});

}  // namespace certwright::api
