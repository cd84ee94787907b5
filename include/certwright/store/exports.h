// How far each export has come, and what consumers acknowledged.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "certwright/base/clock.h"
#include "certwright/base/error.h"
#include "certwright/store/database.h"

namespace certwright::store {

struct ExportState {
  std::string name;
  std::string made_of;         // digest of what the files were made of; "": nothing was written yet
  std::string content;         // digest of their bytes
  UnixSeconds written_at = 0;  // 0: never
  bool reload_due = false;
  UnixSeconds reloaded_at = 0;         // when it last ended with 0
  int failures = 0;                    // in a row
  std::optional<Failure> failure;      // the last one
  UnixSeconds failed_at = 0;
};

std::optional<ExportState> FindExport(Session& session, const std::string& name);
void SaveExport(Session& session, const ExportState& state);
// Those of other names are gone, with what they acknowledged.
void KeepExports(Session& session, const std::vector<std::string>& names);

// The consumer that an export acknowledges as.
std::string ExportConsumer(const std::string& name);
bool IsExportConsumer(const std::string& consumer);

struct Acknowledgement {
  std::string consumer;
  std::string name;    // host name
  std::string serial;  // of the version that it has loaded, as CertificateVersion::serial_hex
  UnixSeconds acknowledged_at = 0;
};

// Takes the place of what the consumer said of this name before.
void SaveAcknowledgement(Session& session, const Acknowledgement& said);
// False where it has said nothing of this name.
bool DeleteAcknowledgement(Session& session, const std::string& consumer, const std::string& name);
// By name and consumer.
std::vector<Acknowledgement> ListAcknowledgements(Session& session);

}  // namespace certwright::store
