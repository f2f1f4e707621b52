//! Words of a page, each said twice on one line: a missing one does not compile.

/// Makes the structure `Words`, filled once for each language, and `Words::of`.
macro_rules! bilingual {
    ($($name:ident: $en:literal, $ja:literal;)*) => {
        #[derive(Debug)]
        pub(crate) struct Words {
            $(pub(crate) $name: &'static str,)*
        }
        const EN: Words = Words { $($name: $en,)* };
        const JA: Words = Words { $($name: $ja,)* };

        impl Words {
            pub(crate) fn of(language: kentai_workflows::diagnostic::Language) -> &'static Self {
                match language {
                    kentai_workflows::diagnostic::Language::En => &EN,
                    kentai_workflows::diagnostic::Language::Ja => &JA,
                }
            }
        }
    };
}

pub(super) use bilingual;
