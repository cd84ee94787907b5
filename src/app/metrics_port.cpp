#include "metrics_port.h"

#include "certwright/base/log.h"
#include "certwright/base/text.h"

namespace certwright::app {

namespace {

http::ResponderAnswer Answer(const actions::Runner& runner, const std::string& path) {
  if (path != "/metrics") return {404, "text/plain; charset=utf-8", "it is at /metrics\n"};
  actions::Call call;
  call.action = "metrics";
  call.role = "reader";
  const actions::Result result = runner.Run(call, nullptr, {});
  if (result.exit_code == 0) return {200, actions::kMetricsType, result.output->String("text")};
  log::Warning(Cat("metrics: ", Printable(result.error)));
  return {500, "text/plain; charset=utf-8", Cat(result.error, "\n")};
}

}  // namespace

std::unique_ptr<http::Responder> ServeMetrics(const std::string& listen,
                                              const actions::Runner& runner) {
  http::ResponderOptions options;
  options.listen = http::ParseEndpoint(listen);
  options.max_connections = 8;
  options.connection_timeout = Millis(30'000);
  options.max_answer = 256 << 20;  // some 500 bytes a certificate
  return std::make_unique<http::Responder>(
      options, [&runner](const std::string& path) {
        return http::Responder::Reply{Answer(runner, path), nullptr};
      });
}

}  // namespace certwright::app
