#include "cli/commands.h"

int main(int argc, char** argv) { return quorate::cli::Run(argc, argv); }
