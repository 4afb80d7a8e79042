/* Windows lets every process of the same user read this one. */
#define PR_SET_PTRACER 0
#define PR_SET_PTRACER_ANY 0
#define prctl(...) ((void)0)
