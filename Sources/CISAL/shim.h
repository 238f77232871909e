// The headers of the system library that this module maps.
#include <isa-l/igzip_lib.h>
#include <isa-l/crc.h>
