// The composition root: the whole program is the command line over the engine.
#include "commands.h"

int main(int argc, char** argv) { return certwright::cli::Main(argc, argv); }
