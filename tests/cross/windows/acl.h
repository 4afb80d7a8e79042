/*
 * Access control lists of files, as the tests read and change them.
 */
#ifndef ACL_H
#define ACL_H

#include <winsock2.h>
#include <windows.h>
#include <aclapi.h>
#include <sddl.h>

#include "check.h"

/* A well-known group as a SID; the caller frees it with LocalFree(). */
static inline PSID group_of(const char *text) {
    PSID sid = NULL;
    CHECK(ConvertStringSidToSidA(text, &sid));
    return sid;
}

/* Whether `sid` may hold rights on a file of this process's user: the user, the system, the administrators. */
static inline int is_trusted(PSID sid) {
    union {
        TOKEN_USER user;
        char room[256];
    } own;
    DWORD len = 0;
    HANDLE token = NULL;
    CHECK(OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token));
    CHECK(GetTokenInformation(token, TokenUser, &own, sizeof own, &len));
    CloseHandle(token);
    PSID system = group_of("S-1-5-18"), administrators = group_of("S-1-5-32-544");
    int trusted = EqualSid(sid, own.user.User.Sid) || EqualSid(sid, system) || EqualSid(sid, administrators);
    LocalFree(system);
    LocalFree(administrators);
    return trusted;
}

/* The rights that the list of `path` gives to anybody else. */
static inline DWORD rights_of_others(const char *path) {
    PSECURITY_DESCRIPTOR descriptor = NULL;
    PACL list = NULL;
    DWORD rights = 0;
    CHECK_INT(GetNamedSecurityInfoA((char *)path, SE_FILE_OBJECT, DACL_SECURITY_INFORMATION, NULL, NULL, &list, NULL,
                                    &descriptor), ERROR_SUCCESS);
    if (list == NULL) {
        return MAXDWORD;
    }
    for (DWORD i = 0; i < list->AceCount; i++) {
        ACCESS_ALLOWED_ACE *entry = NULL;
        CHECK(GetAce(list, i, (void **)&entry));
        if (entry->Header.AceType == ACCESS_ALLOWED_ACE_TYPE && !is_trusted((PSID)&entry->SidStart)) {
            rights |= entry->Mask;
        }
    }
    LocalFree(descriptor);
    return rights;
}

/* Gives `rights` on `path` to everybody, beside the rights that there are. */
static inline void give_everybody(const char *path, DWORD rights) {
    PSECURITY_DESCRIPTOR descriptor = NULL;
    PACL before = NULL, after = NULL;
    PSID everybody = group_of("S-1-1-0");
    EXPLICIT_ACCESSA more = {rights, GRANT_ACCESS, NO_INHERITANCE, {NULL, NO_MULTIPLE_TRUSTEE, TRUSTEE_IS_SID,
                                                                    TRUSTEE_IS_WELL_KNOWN_GROUP, everybody}};
    CHECK_INT(GetNamedSecurityInfoA((char *)path, SE_FILE_OBJECT, DACL_SECURITY_INFORMATION, NULL, NULL, &before, NULL,
                                    &descriptor), ERROR_SUCCESS);
    CHECK_INT(SetEntriesInAclA(1, &more, before, &after), ERROR_SUCCESS);
    CHECK_INT(SetNamedSecurityInfoA((char *)path, SE_FILE_OBJECT, DACL_SECURITY_INFORMATION, NULL, NULL, after, NULL),
              ERROR_SUCCESS);
    LocalFree(after);
    LocalFree(descriptor);
    LocalFree(everybody);
}

#endif
