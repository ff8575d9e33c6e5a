// Debian builds libxml2 with ICU, whose headers declare the same enumerations as Foundation's own copy of ICU in another
// version; Swift refuses to see both. Only the last members of xmlCharEncodingHandler, which nothing here touches,
// depend on this macro.
#include <libxml/xmlversion.h>
#undef LIBXML_ICU_ENABLED

#include <libxml/HTMLparser.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <libxml/xmlerror.h>
