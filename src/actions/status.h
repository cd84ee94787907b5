// What status tells: one line a part that somebody may have to look after.
#pragma once

#include <string>
#include <vector>

#include "handler.h"

namespace certwright::actions {

enum class Health { kOk, kWarning, kCritical };

struct Component {
  std::string component;  // "failing", "handler:certificate-changed/10-reload"
  Health state = Health::kOk;
  std::string detail;  // a sentence: what is seen, and since when
};

// Adds one component or more. To tell of another part, add its function to kParts in status.cpp. A
// part that throws is told as a warning.
using StatusPart = void (*)(const Invocation& call, std::vector<Component>& components);

// What every part says.
std::vector<Component> LookAtAll(const Invocation& call);

void DaemonStatus(const Invocation& call, std::vector<Component>& components);
void CertificateStatus(const Invocation& call, std::vector<Component>& components);
void ExportStatus(const Invocation& call, std::vector<Component>& components);
void AcknowledgementStatus(const Invocation& call, std::vector<Component>& components);
void ServedStatus(const Invocation& call, std::vector<Component>& components);
void FeedStatus(const Invocation& call, std::vector<Component>& components);

}  // namespace certwright::actions
