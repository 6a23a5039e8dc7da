// GNUstep asks for the block runtime under this name.
#pragma once
#include <Block.h>
