// The composition root: the whole program is the command line over the engine.
#include <stdlib.h>

#include "commands.h"

int main(int argc, char** argv) {
  // Botan's pool of locked pages would cost nine hundred system calls at each start, an eighth of the
  // CPU time of a whole issuance. Keys pass through ordinary memory too (they are wiped there), so
  // the pool alone would keep nothing off a swap. What is set by hand is left as it is.
  setenv("BOTAN_MLOCK_POOL_SIZE", "0", 0);
  return certwright::cli::Main(argc, argv);
}
