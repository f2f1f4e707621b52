//! Roles: what somebody is to the center.

use crate::state::words;

words!(
    /// A role.
    Role {
        /// Runs the line: submits, retries, holds, receives.
        Operator = "operator",
        /// Decides quality questions.
        Reviewer = "reviewer",
        /// Lets data leave the building.
        Releaser = "releaser",
        /// Handles withdrawals and sees what they closed.
        WithdrawalOfficer = "withdrawal_officer",
        /// Reads everything, changes nothing.
        Auditor = "auditor",
        /// Configures, and sees no data.
        Admin = "admin",
        /// Of an institution: its own specimens, in coarse states.
        Institution = "institution",
        /// Of a data center: its own deliveries.
        DataCenter = "data_center",
    }
);
