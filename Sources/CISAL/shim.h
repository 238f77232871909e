// The headers of the system library that this module maps.
#include <isa-l/igzip_lib.h>
#include <isa-l/crc.h>

// Sizes of the memory that each level works in, which are expressions Swift cannot import.
static const uint32_t cisal_level1_size = ISAL_DEF_LVL1_DEFAULT;
static const uint32_t cisal_level2_size = ISAL_DEF_LVL2_DEFAULT;
static const uint32_t cisal_level3_size = ISAL_DEF_LVL3_DEFAULT;
